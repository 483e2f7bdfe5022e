package boost

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

// The stored form begins with a mark and ends with a checksum (CRC-32C) of all
// before it, against accidents, not against forgers. Numbers are uvarints or
// little-endian. Behind the mark come
//
//	classes, width, depth, how many trees
//	base of each output, as float64
//	the trees, node before children, first child before second:
//	a leaf is 0 and its value as float32,
//	a question is 1 + its feature and its threshold as int32.
//
// A change of the form changes its mark.
const (
	forestMark   = "BoF2"
	isotonicMark = "BoI1"
	sumSize      = 4 // bytes of a checksum
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seal appends the checksum of what was appended to dst from from on.
func seal(dst []byte, from int) []byte {
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[from:], castagnoli))
}

func appendFloat(dst []byte, value float64) []byte {
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(value))
}

// Append appends the stored form of the forest to dst.
func (f *Forest) Append(dst []byte) []byte {
	from, size := len(dst), 1<<f.depth
	dst = append(dst, forestMark...)
	for _, n := range []int{f.classes, f.width, f.depth, len(f.nodes) / size} {
		dst = binary.AppendUvarint(dst, uint64(n))
	}
	for _, value := range f.base {
		dst = appendFloat(dst, value)
	}
	for at := 0; at < len(f.nodes); at += size {
		dst = tree{f.nodes[at : at+size], f.leaves[at : at+size]}.append(dst, 1)
	}
	return seal(dst, from)
}

// append writes a slot and all below it.
func (t tree) append(dst []byte, slot int) []byte {
	if slot < len(t.nodes) && t.nodes[slot].threshold != padding {
		dst = binary.AppendUvarint(dst, uint64(t.nodes[slot].feature)+1)
		dst = binary.LittleEndian.AppendUint32(dst, uint32(t.nodes[slot].threshold))
		return t.append(t.append(dst, 2*slot), 2*slot+1)
	}
	for slot < len(t.nodes) {
		slot *= 2 // all leaves below are the same
	}
	dst = append(dst, 0)
	return binary.LittleEndian.AppendUint32(dst, math.Float32bits(t.leaves[slot-len(t.nodes)]))
}

// Parse reads what Append wrote and keeps nothing of data. Whatever the bytes, it
// returns a forest that can be used or an error, and takes no more memory than
// 13 MB and a copy of data.
func Parse(data []byte) (*Forest, error) {
	r, err := open(data, forestMark)
	if err != nil {
		return nil, fmt.Errorf("cannot read a forest: %w", err)
	}
	f := &Forest{classes: r.count(2, 256), width: r.count(1, mostFeatures), depth: r.count(1, mostDepth)}
	trees := r.count(0, mostSlots>>f.depth)
	for range f.outputs() {
		f.base = append(f.base, r.float())
	}
	const leastTree = 5 // bytes, of a single leaf
	if r.check(trees*leastTree <= len(r.rest), "too few bytes for its trees"); r.err == nil {
		f.reserve(trees)
	}
	for i := 0; i < trees && r.err == nil; i++ {
		r.tree(f.addTree(), f, 1, 0)
	}
	r.check(len(r.rest) == 0, "bytes behind its end")
	if r.err != nil {
		return nil, fmt.Errorf("cannot read a forest: %w", r.err)
	}
	return f, nil
}

// reader takes a stored form apart. After the first error it returns zeros.
type reader struct {
	rest []byte
	err  error
}

// open checks mark and checksum and returns a reader of what is between.
func open(data []byte, mark string) (*reader, error) {
	if len(data) < len(mark)+sumSize || string(data[:len(mark)]) != mark {
		return nil, fmt.Errorf("it begins with %.4q: want %q", data, mark)
	}
	end := len(data) - sumSize
	if sum, want := crc32.Checksum(data[:end], castagnoli), binary.LittleEndian.Uint32(data[end:]); sum != want {
		return nil, fmt.Errorf("its checksum is %08x: want %08x, so it was cut off or damaged", sum, want)
	}
	return &reader{rest: data[len(mark):end]}, nil
}

// check notes an error unless what is to be so is so.
func (r *reader) check(so bool, found string) {
	if !so && r.err == nil {
		r.err = errors.New("found " + found)
	}
}

func (r *reader) take(n int) []byte {
	r.check(n <= len(r.rest), "too few bytes")
	if r.err != nil {
		return make([]byte, min(n, 8))
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

// count reads a number between least and most; it is least after an error.
func (r *reader) count(least, most int) int {
	n, size := binary.Uvarint(r.rest)
	if r.err == nil && (size <= 0 || n < uint64(least) || n > uint64(most)) {
		r.err = fmt.Errorf("found %d: want %d to %d", n, least, most)
	}
	if r.err != nil {
		return least
	}
	r.rest = r.rest[size:]
	return int(n)
}

// float reads a finite number.
func (r *reader) float() float64 {
	value := math.Float64frombits(binary.LittleEndian.Uint64(r.take(8)))
	r.check(value-value == 0, "a number that is not finite")
	return value
}

// tree reads a slot and all below it.
func (r *reader) tree(t tree, f *Forest, slot, depth int) {
	question := r.count(0, f.width) // 1 + its feature
	word := binary.LittleEndian.Uint32(r.take(4))
	if r.err != nil {
		return
	}
	if question == 0 {
		leaf := math.Float32frombits(word)
		r.check(leaf-leaf == 0, "a leaf that is not finite")
		t.fill(slot, depth, f.depth, leaf)
		return
	}
	r.check(depth < f.depth, "a tree that is too deep")
	inf := float32(math.Inf(1))
	r.check(keyOf(-inf) <= int32(word) && int32(word) <= keyOf(inf), "a threshold that is not a number")
	if r.err != nil {
		return
	}
	t.nodes[slot] = node{int32(word), uint32(question - 1)}
	r.tree(t, f, 2*slot, depth+1)
	r.tree(t, f, 2*slot+1, depth+1)
}
