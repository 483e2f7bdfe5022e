package main

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"recoup/internal/csvinvoice"
	"recoup/invoice"
)

// fileFlags say how a file of invoices is read.
type fileFlags struct {
	// Input is the form of the file.
	Input string `enum:"auto,jsonl,csv" default:"auto" help:"Read jsonl or csv; auto looks at --map, name and content."`
	// Map says what the columns of a CSV file mean.
	Map string `placeholder:"FILE" help:"YAML that says which column of a CSV file is which field."`
}

// mapExampleFlag is `recoup score --map-example`.
type mapExampleFlag bool

// BeforeReset prints and ends the program before anything else is asked for.
func (mapExampleFlag) BeforeReset(app *kong.Kong) error {
	_, err := fmt.Fprint(app.Stdout, csvinvoice.Example)
	app.Exit(0)
	return err
}

// records opens the records of an input.
func (f *fileFlags) records(in *input, s *session, limits invoice.Limits) (records, error) {
	if !f.isCSV(in) {
		if f.Map != "" {
			return nil, usage("cannot use --map with --input %s: only CSV files have columns", f.Input)
		}
		return &jsonLines{in: in, decoder: invoice.NewDecoder(limits), limit: limits.Bytes}, nil
	}
	var mapping *csvinvoice.Mapping
	if f.Map != "" {
		var err error
		if mapping, err = csvinvoice.ReadMapping(f.Map); err != nil {
			return nil, err
		}
	}
	json := bytes.HasPrefix(bytes.TrimSpace(in.start()), []byte("{"))
	reader, err := csvinvoice.NewReader(in.next, mapping, limits)
	if err != nil && json {
		return nil, fmt.Errorf("cannot read %s as CSV: it looks like JSON lines, pass --input jsonl and no --map; %w",
			in.name, err)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", in.name, err)
	}
	if unused := reader.Unused(); len(unused) > 0 {
		in.hush()
		fmt.Fprintf(s.stderr, "%s: columns that fill no field: %q\n", in.name, unused)
	}
	return &csvRecords{reader: reader, name: in.name}, nil
}

// isCSV decides how to read.
func (f *fileFlags) isCSV(in *input) bool {
	if f.Input != "auto" {
		return f.Input == "csv"
	}
	name := strings.ToLower(in.name)
	name = strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), ".zst")
	return f.Map != "" || slices.Contains([]string{".csv", ".tsv"}, filepath.Ext(name)) || csvinvoice.Looks(in.start())
}

// csvRecords are the invoices of a CSV file.
type csvRecords struct {
	reader *csvinvoice.Reader
	name   string // of the file
}

func (r *csvRecords) next(inv *invoice.Invoice) (int64, error) {
	line, err := r.reader.Next(inv)
	var bad *csvinvoice.RowError
	if errors.As(err, &bad) {
		return line, &badRecord{place: fmt.Sprintf("%s:%d", r.name, bad.Line), field: bad.Column, reason: bad.Reason,
			text: bad.Text}
	}
	return line, err
}
