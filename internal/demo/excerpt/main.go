// Command excerpt cuts the invoices that are bundled with recoup out of the
// corpus they come from: every record issued in a span of days, none left out,
// and the labels of exactly those records.
//
//	go run ./internal/demo/excerpt CORPUS_DIR
//
// CORPUS_DIR holds retail.jsonl.zst and retail.labels.jsonl.zst. The program
// calls the zstd command, because its highest level is a third smaller than
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

// cut writes both files of the excerpt. Days compare as text: the corpus has
// its instants in RFC 3339 and UTC.
func cut(corpus, out, from, to string) error {
	var record struct {
		InvoiceID string `json:"invoice_id"`
		IssuedAt  string `json:"issued_at"`
	}
	chosen := map[string]bool{}
	invoices, err := filter(filepath.Join(corpus, "retail.jsonl.zst"), func(line []byte) (bool, error) {
		if err := json.Unmarshal(line, &record); err != nil {
			return false, err
		}
		day := record.IssuedAt[:len("2006-01-02")]
		keep := from <= day && day <= to
		chosen[record.InvoiceID] = chosen[record.InvoiceID] || keep
		return keep, nil
	})
	if err != nil {
		return err
	}
	labels, err := filter(filepath.Join(corpus, "retail.labels.jsonl.zst"), func(line []byte) (bool, error) {
		err := json.Unmarshal(line, &record)
		return chosen[record.InvoiceID], err
	})
	if err != nil {
		return err
	}
	if err := compress(filepath.Join(out, "invoices.jsonl.zst"), invoices); err != nil {
		return err
	}
	return compress(filepath.Join(out, "labels.jsonl.zst"), labels)
}

// filter returns the lines of a compressed file that keep says yes to.
func filter(path string, keep func(line []byte) (bool, error)) ([]byte, error) {
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
		yes, err := keep(lines.Bytes())
		if err != nil {
			return nil, fmt.Errorf("cannot read %s line %d: %w", path, n, err)
		}
		if yes {
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
