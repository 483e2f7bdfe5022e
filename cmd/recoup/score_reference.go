package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"recoup/detectors/reference"
	"recoup/invoice"
)

// referenceFlags say what other systems know.
type referenceFlags struct {
	Reference []string `placeholder:"FILE" sep:"none" help:"File of reference.*.v1 lines; may be given again."`
}

// references returns those of all the files, nil without files, and how many lines
// could not be read; the first of these are named on standard error. Their order does
// not matter: every one counts from its published_at.
func (f *referenceFlags) references(ctx context.Context, s *session, limits invoice.Limits) (
	store *reference.Store, bad int64, err error) {
	if len(f.Reference) == 0 {
		return nil, 0, nil
	}
	store = reference.NewStore(0)
	read := 0
	for _, name := range f.Reference {
		if name == "-" {
			return nil, 0, usage("cannot read references from standard input: name a file")
		}
		n, refused, err := readReferences(ctx, name, s, limits, store)
		if err != nil {
			return nil, 0, err
		}
		read, bad = read+n, bad+refused
	}
	fmt.Fprintf(s.stderr, "read %d references, skipped %d unreadable lines\n", read, bad)
	return store, bad, nil
}

// readReferences puts the references of one file into the store. They come without
// a time of receipt, so none is forgotten.
func readReferences(ctx context.Context, name string, s *session, limits invoice.Limits, store *reference.Store) (
	read int, bad int64, err error) {
	in, err := openInput(name, "references", s, limits.Bytes)
	if err != nil {
		return 0, 0, err
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
			bad++
			refused.name(record)
			continue
		}
		if errors.Is(err, io.EOF) {
			return read, bad, nil
		}
		if err != nil {
			return 0, 0, err
		}
		read++
		store.Apply(&r, time.Time{})
	}
	return 0, 0, errors.New("cannot finish: interrupted while reading references")
}
