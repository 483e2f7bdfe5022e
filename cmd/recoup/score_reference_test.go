package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"recoup/internal/demo/data"
)

const (
	contract = `{"schema":"reference.customer.v1","seller":"acme","customer_ref":"c","valid_from":"2026-01-01T00:00:00Z"}`
	delivery = `{"schema":"reference.delivery.v1","seller":"acme","delivery_ref":"d","shipped_at":"2026-01-01T00:00:00Z"}`
)

// A line that cannot be read is named with its file and line, like one of the
// invoices, and the others count (G6).
func TestScoreReferenceBadLines(t *testing.T) {
	good := write(t, contract+"\n\n"+delivery+"\n")
	bad := write(t, delivery+"\n"+strings.Replace(delivery, `"d"`, `7`, 1)+"\n"+
		`{"schema":"invoice.v1"}`+"\n"+contract+"\n")
	got := recoup(t, "", "score", sample, "--reference", good, "--reference", bad)
	alone := recoup(t, "", "score", sample)
	if got.code != exitBadInput || strings.Count(got.stdout, "\n") != strings.Count(alone.stdout, "\n") {
		t.Errorf("code %d, %d verdicts", got.code, strings.Count(got.stdout, "\n"))
	}
	contains(t, got.stderr, "read 4 references, skipped 2 unreadable lines\n",
		bad+":2: delivery_ref: a number at byte 65, want a string (wrong_type)\n", bad+":3: schema: ", "(schema)\n")

	few := firstLines(t, sample, 3)
	if got := recoup(t, few, "score", "-", "--reference", good); got.code != 0 {
		t.Errorf("good lines alone ended with %d: %s", got.code, got.stderr)
	}
	if got := recoup(t, few, "score", "-", "--reference", bad); got.code != exitBadInput {
		t.Errorf("a bad reference beside good invoices ended with %d", got.code)
	}
}

// A file that is no file of references is not printed line by line, nor is one
// that holds no invoices.
func TestScoreNamesFirstBadLines(t *testing.T) {
	few := write(t, firstLines(t, sample, 30)+"{\n")
	got := recoup(t, "", "score", few, "--reference", few)
	if n := strings.Count(got.stderr, "(schema)\n"); n != mostNamed {
		t.Errorf("%d lines of invoices were named as bad references, want %d", n, mostNamed)
	}
	contains(t, got.stderr, few+":3: schema: ", few+": and 27 more that cannot be read: 27 schema\n",
		few+":31: record: ", "read 0 references, skipped 31 unreadable lines\n", "scored 30 invoices ")

	got = recoup(t, strings.Repeat(contract+"\n", 9), "score", "-")
	if got.code != exitBadInput || strings.Count(got.stderr, "stdin:") != mostNamed+2 {
		t.Errorf("code %d: %s", got.code, got.stderr)
	}
	contains(t, got.stderr, "stdin: and 6 more that cannot be read: 6 schema\n")
	if n := strings.Count(got.stderr, "stdin: it holds references: give it by --reference"); n != 1 {
		t.Errorf("named the file as one of references %d times, want once", n)
	}
}

func firstLines(t *testing.T, file string, n int) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.SplitAfter(string(content), "\n")[:n], "")
}

func TestScoreReferenceFiles(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"missing":        {[]string{"--reference", "nowhere"}, exitFailed, "recoup: cannot read references: open nowhere: "},
		"standard input": {[]string{"--reference", "-"}, exitUsage, "cannot read references from standard input"},
		"no file":        {[]string{"--reference"}, exitUsage, "--reference"},
	} {
		got := recoup(t, "", append([]string{"score", sample}, c.args...)...)
		if got.code != c.code || !strings.Contains(got.stderr, c.want) || got.stdout != "" {
			t.Errorf("%s: code %d: %s", name, got.code, got.stderr)
		}
	}
	// A name may hold a comma.
	file := filepath.Join(t.TempDir(), "a,b.jsonl")
	if err := os.WriteFile(file, []byte(contract), 0o600); err != nil {
		t.Fatal(err)
	}
	contains(t, recoup(t, "", "score", sample, "--reference", file).stderr, "read 1 references, skipped 0 ")
}

// The bundled references are all good; packed or plain, in one file or several,
// in whatever order, they give the same verdicts.
func TestScoreBundledReferences(t *testing.T) {
	var invoices, plain, packed bytes.Buffer
	for line, err := range data.Invoices() {
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&invoices, "%s\n", line)
	}
	z, err := zstd.NewWriter(&packed)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line, err := range data.References() {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line)+"\n")
		fmt.Fprintf(&plain, "%s\n", line)
	}
	if _, err := z.Write(plain.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	half := len(lines) / 2
	read := fmt.Sprintf("read %d references, skipped 0 unreadable lines\n", data.ReferenceCount)
	packedFile := write(t, packed.String())
	want := recoup(t, invoices.String(), "score", "-", "--model", "prior", "--reference", packedFile)
	contains(t, want.stderr, read)
	two := recoup(t, invoices.String(), "score", "-", "--model", "prior",
		"--reference", write(t, strings.Join(lines[half:], "")), "--reference", write(t, strings.Join(lines[:half], "")))
	contains(t, two.stderr, read)
	if want.code != 0 || two.stdout != want.stdout {
		t.Errorf("code %d; the verdicts depend on how the references are divided", want.code)
	}
}

// References of other sellers, and a file without any, are said: they change nothing.
func TestScoreReferencesThatMatchNothing(t *testing.T) {
	foreign := strings.ReplaceAll(contract, "acme", "other")
	for references, want := range map[string]string{
		contract + "\n" + foreign: "\nof 2 references 1 concern sellers of this file\n",
		foreign: "\nWARNING: no reference concerns a seller of this file: they are of other, the " +
			"invoices of acme\n",
		"\n": ": no reference in it\nread 0 references, ",
	} {
		contains(t, recoup(t, "", "score", sample, "--reference", write(t, references)).stderr, want)
	}
	if got := recoup(t, "", "score", sample); strings.Contains(got.stderr, "reference") {
		t.Errorf("references are said where none were given: %s", got.stderr)
	}
}
