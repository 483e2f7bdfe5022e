package pipeline

import (
	"context"
	"encoding/binary"
)

// packedChunk is how many bytes of records stand together: each chunk is appended by itself.
const packedChunk = chunkBytes

// packedRecords are records of state in their order, without a piece of memory for each key and
// value: a checkpoint may have hundreds of thousands. Each chunk has some of them.
type packedRecords [][]byte

// add appends a record.
func (p *packedRecords) add(r Record) {
	size := len(r.Key) + len(r.Value) + len(r.Stamp) + 3*binary.MaxVarintLen32
	last := len(*p) - 1
	if last < 0 || len((*p)[last])+size > packedChunk && len((*p)[last]) > 0 {
		var chunk []byte
		if last >= 0 { // most checkpoints have one
			chunk = make([]byte, 0, max(size, packedChunk))
		}
		*p, last = append(*p, chunk), last+1
	}
	chunk := (*p)[last]
	for _, part := range [...][]byte{r.Key, r.Value, r.Stamp} {
		chunk = append(binary.AppendUvarint(chunk, uint64(len(part))), part...)
	}
	(*p)[last] = chunk
}

// records returns those of a chunk, which they point into; no bytes and nil are the same.
func (p packedRecords) records(chunk int) []Record {
	var all []Record
	for rest := p[chunk]; len(rest) > 0; {
		var parts [3][]byte
		for i := range parts {
			n, head := binary.Uvarint(rest)
			end := head + int(n)
			if n > 0 {
				parts[i] = rest[head:end:end]
			}
			rest = rest[end:]
		}
		all = append(all, Record{Key: parts[0], Value: parts[1], Stamp: parts[2]})
	}
	return all
}

// each has the records appended, a chunk at a time, and asks hold before each.
func (p packedRecords) each(ctx context.Context, hold func(context.Context) error,
	appendAll func(context.Context, []Record) (int64, error)) error {
	for chunk := range p {
		if err := hold(ctx); err != nil {
			return err
		}
		if _, err := appendAll(ctx, p.records(chunk)); err != nil {
			return err
		}
	}
	return nil
}

// bytes is how much memory they take.
func (p packedRecords) bytes() int64 {
	size := int64(0)
	for _, chunk := range p {
		size += int64(cap(chunk))
	}
	return size
}
