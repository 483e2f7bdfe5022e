package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"recoup/detectors"
	"recoup/docs/contract/contracttest"
	"recoup/internal/demo/data"
)

// bundled writes the bundled invoices to a file.
func bundled(t *testing.T) string {
	t.Helper()
	const enough = 1200 // for two or three trainings, which take long under the race detector
	var all bytes.Buffer
	n := 0
	for line, err := range data.Invoices() {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n > enough {
			break
		}
		all.Write(append(line, '\n'))
	}
	return write(t, all.String())
}

// A file trains a model that judges the rest of it; stored, it judges all of it;
// the prior can be pinned.
func TestScoreModel(t *testing.T) {
	file, models := bundled(t), filepath.Join(t.TempDir(), "models.jsonl")
	const prior = `"model":{"version":"` + detectors.ModelVersion + `"`
	first := succeed(t, "score", file, "--save-model", models)
	before, after := strings.Count(first.stdout, prior), strings.Count(first.stdout, `"model":{"version":"trained-`)
	if before == 0 || after == 0 {
		t.Errorf("%d verdicts before and %d after the first training", before, after)
	}
	contains(t, first.stderr, "\nmodel of retail-uk: trained-", " examples, from 2011-06-", "base rate ",
		"suspect from 0.", " before it since 2011-05-", "\nsaved in "+models+", one for each seller")
	stored, err := os.ReadFile(models)
	if err != nil {
		t.Fatal(err)
	}
	if err := contracttest.Validate(stored); err != nil {
		t.Error(err)
	}
	pinned := succeed(t, "score", file, "--model", models)
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	credits := bytes.Count(content, []byte(`"invoice_type":"credit_note"`)) // are not judged
	if n := strings.Count(pinned.stdout, prior); n != credits {
		t.Errorf("%d verdicts by the prior, want %d; %s", n, credits, pinned.stderr)
	}
	trained := after + before - credits // all that is judged
	contains(t, first.stderr, fmt.Sprintf("\njudged %d invoices by trained models, %d invoices by prior-1\n", after,
		before-credits))
	contains(t, pinned.stderr, fmt.Sprintf("\njudged %d invoices by trained models, 0 invoices by prior-1\n"+
		"model of retail-uk: trained-", trained), fmt.Sprintf(", judged %d invoices\n", trained))
	for name, pack := range map[string]func(*bytes.Buffer) io.WriteCloser{
		"gzip": func(to *bytes.Buffer) io.WriteCloser { return gzip.NewWriter(to) },
		"zstd": func(to *bytes.Buffer) io.WriteCloser { z, _ := zstd.NewWriter(to); return z }, // its options are right
	} {
		var packed bytes.Buffer
		z := pack(&packed)
		if _, err := z.Write(stored); err != nil || z.Close() != nil {
			t.Fatal(err)
		}
		if got := recoup(t, "", "score", file, "--model", write(t, packed.String())); got.stdout != pinned.stdout {
			t.Errorf("%s: other verdicts by the same models: %s", name, got.stderr)
		}
	}
	others := recoup(t, "", "score", sample, "--model", models) // invoices of acme
	contains(t, others.stderr, "\njudged 36 invoices by prior-1\nWARNING: "+models+" has no model of acme: judged by "+
		"prior-1\nnot used, as they have no invoice here: models of retail-uk\n")
	if out := succeed(t, "score", file, "--model", "prior"); strings.Contains(out.stdout, "trained-") {
		t.Error("a model judged although the prior is pinned")
	}
	if again := succeed(t, "score", file); again.stdout != first.stdout {
		t.Error("the same file trained other models")
	}
}

// What cannot be meant is said.
func TestScoreModelRefused(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--model", "missing.jsonl"}, exitFailed, "want --model train, prior or a file"},
		{[]string{"--model", write(t, "\n")}, exitFailed, "it holds no model; --save-model writes one"},
		{[]string{"--model", write(t, "\n{\n")}, exitFailed, "line 2: cannot read model"},
		{[]string{"--model", "-"}, exitUsage, "cannot read models from standard input"},
		{[]string{"--model", "prior", "--save-model", "x"}, exitUsage, "only training makes one"},
		{[]string{"--save-model", filepath.Join(t.TempDir(), "x")}, exitFailed, "no seller has invoices enough"},
		{[]string{"--save-model", t.TempDir()}, exitFailed, "cannot save models: open "},
	} {
		got := recoup(t, "", append([]string{"score", sample}, c.args...)...)
		if got.code != c.code {
			t.Errorf("%q ended with %d, want %d", c.args, got.code, c.code)
		}
		contains(t, got.stderr, c.want)
	}
}

// A file that cannot be written is found before anything is read, and what a file
// holds stays until there are models to put in its place.
func TestScoreSaveModelFirst(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "no", "models.jsonl")
	got := recoup(t, "", "score", sample, "--save-model", nowhere)
	if got.code != exitFailed || got.stdout != "" {
		t.Errorf("a path that cannot be written ended with %d behind %d bytes of verdicts", got.code, len(got.stdout))
	}
	contains(t, got.stderr, "cannot save models: open "+nowhere)

	held := write(t, "a model of yesterday\n")
	fresh := filepath.Join(t.TempDir(), "models.jsonl")
	for _, file := range []string{held, fresh} {
		contains(t, recoup(t, "", "score", sample, "--save-model", file).stderr, "no seller has invoices enough")
	}
	if content, err := os.ReadFile(held); err != nil || string(content) != "a model of yesterday\n" {
		t.Errorf("nothing was trained, the file holds %q, %v", content, err)
	}
	if _, err := os.Stat(fresh); !os.IsNotExist(err) {
		t.Errorf("nothing was trained, an empty file is left: %v", err)
	}
}
