// Command excerpt cuts the invoices that are bundled with recoup out of the
// corpus they come from: every record issued in a span of days, none left out,
// the labels of exactly those records, and the references that concern them.
//
//	go run ./internal/demo/excerpt bench/corpus
//
// It calls the zstd command, because its highest level is a third smaller than
// what the Go encoder reaches.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

// maxLine bounds one record of the corpus; its largest has 114 kB.
const maxLine = 4 << 20

func main() {
	from := flag.String("from", "2011-05-18", "first day, inclusive")
	to := flag.String("to", "2011-07-28", "last day, inclusive")
	out := flag.String("out", filepath.Join("internal", "demo", "data"), "directory to write to")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: excerpt [-from DAY] [-to DAY] [-out DIR] CORPUS_DIR")
		os.Exit(2)
	}
	if err := cut(flag.Arg(0), *out, *from, *to); err != nil {
		fmt.Fprintln(os.Stderr, "excerpt:", err)
		os.Exit(1)
	}
}

// record is what decides whether a line is kept.
type record struct {
	InvoiceID   string `json:"invoice_id"`
	IssuedAt    string `json:"issued_at"`
	CustomerRef string `json:"customer_ref"`
	DeliveryRef string `json:"delivery_ref"`
}

// cut writes the files of the excerpt. Days compare as text: the corpus has its
// instants in RFC 3339 and UTC.
func cut(corpus, out, from, to string) error {
	// What the invoices of the span name; promotions and policy name nobody.
	invoices, customers, deliveries := map[string]bool{}, map[string]bool{"": true}, map[string]bool{}
	for _, file := range []struct {
		name  string
		parts []string
		keep  func(r *record) bool
	}{
		{"invoices.jsonl.zst", []string{"retail.jsonl.zst"}, func(r *record) bool {
			if day := r.IssuedAt[:len("2006-01-02")]; day < from || day > to {
				return false
			}
			invoices[r.InvoiceID], customers[r.CustomerRef], deliveries[r.DeliveryRef] = true, true, true
			return true
		}},
		{"labels.jsonl.zst", []string{"retail.labels.jsonl.zst"}, func(r *record) bool { return invoices[r.InvoiceID] }},
		{"references.jsonl.zst", []string{"retail.reference.jsonl.zst", "retail.deliveries.jsonl.zst"},
			func(r *record) bool {
				if r.DeliveryRef != "" {
					return deliveries[r.DeliveryRef]
				}
				return customers[r.CustomerRef]
			}},
	} {
		var kept []byte
		for _, part := range file.parts {
			lines, err := filter(filepath.Join(corpus, part), file.keep)
			if err != nil {
				return err
			}
			kept = append(kept, lines...)
		}
		if err := compress(filepath.Join(out, file.name), kept); err != nil {
			return err
		}
	}
	return nil
}

// filter returns the lines of a compressed file that keep says yes to.
func filter(path string, keep func(r *record) bool) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	plain, err := zstd.NewReader(file)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", path, err)
	}
	defer plain.Close()
	var kept bytes.Buffer
	lines := bufio.NewScanner(plain)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("cannot read %s line %d: %w", path, n, err)
		}
		if keep(&r) {
			kept.Write(lines.Bytes())
			kept.WriteByte('\n')
		}
	}
	return kept.Bytes(), lines.Err()
}

// compress writes plain to path through the zstd command.
func compress(path string, plain []byte) error {
	zstdCommand := exec.Command("zstd", "--ultra", "-22", "--long=25", "--force", "--quiet", "-o", path, "-")
	zstdCommand.Stdin = bytes.NewReader(plain)
	message, err := zstdCommand.CombinedOutput()
	if err != nil {
		return fmt.Errorf("cannot write %s with the zstd command: %w %s", path, err, message)
	}
	_, err = fmt.Printf("%s: %d bytes of plain text\n", path, len(plain))
	return err
}
