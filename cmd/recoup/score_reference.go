package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"recoup/detectors/reference"
	"recoup/invoice"
)

// referenceFlags say what other systems know.
type referenceFlags struct {
	Reference []string `placeholder:"FILE" sep:"none" help:"File of reference.*.v1 lines; may be given again."`
}

// known are the references that were read.
type known struct {
	store    *reference.Store // nil: no file was named
	bySeller map[string]int64 // references
	bad      int64            // lines that could not be read
}

// references reads those of all the files; the first lines that cannot be read are
// named on standard error. Their order does not matter: every reference counts from
// its published_at.
func (f *referenceFlags) references(ctx context.Context, s *session, limits invoice.Limits) (known, error) {
	if len(f.Reference) == 0 {
		return known{}, nil
	}
	all := known{store: reference.NewStore(0), bySeller: map[string]int64{}}
	read := int64(0)
	for _, name := range f.Reference {
		if name == "-" {
			return known{}, usage("cannot read references from standard input: name a file")
		}
		n, err := all.read(ctx, name, s, limits)
		if err != nil {
			return known{}, err
		}
		if read += n; n == 0 {
			fmt.Fprintf(s.stderr, "%s: no reference in it\n", name)
		}
	}
	fmt.Fprintf(s.stderr, "read %d references, skipped %d unreadable lines\n", read, all.bad)
	return all, nil
}

// read puts the references of one file into the store and returns how many there
// were. They come without a time of receipt, so none is forgotten.
func (k *known) read(ctx context.Context, name string, s *session, limits invoice.Limits) (n int64, err error) {
	in, err := openInput(name, "references", s, limits.Bytes)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	defer in.hush()
	refused := refusals{in: in, stderr: s.stderr}
	defer refused.rest()
	lines := &jsonLines{in: in, decoder: invoice.NewDecoder(limits), limit: limits.Bytes}
	var r invoice.Reference
	for ctx.Err() == nil {
		_, err := lines.each(func(line []byte) error { return lines.decoder.DecodeReference(line, &r) })
		if record, ok := errors.AsType[*badRecord](err); ok {
			k.bad++
			refused.name(record)
			continue
		}
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return 0, err
		}
		n++
		k.bySeller[strings.Clone(r.Seller)]++
		k.store.Apply(&r, time.Time{})
	}
	return 0, errors.New("cannot finish: interrupted while reading references")
}
