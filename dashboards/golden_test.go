package dashboards

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"recoup/dashboards/question"
)

var rewrite = flag.Bool("rewrite", false, "write the boards into deploy/grafana anew")

// each calls a test for both outputs in both languages.
func each(t *testing.T, test func(t *testing.T, source Source, lang question.Lang)) {
	t.Helper()
	for _, source := range []Source{ClickHouse, Recoup} {
		for _, lang := range []question.Lang{question.English, question.French} {
			t.Run(string(source)+"/"+string(lang), func(t *testing.T) { test(t, source, lang) })
		}
	}
}

// deploy/grafana holds what this package writes, and nothing else.
func TestGolden(t *testing.T) {
	each(t, func(t *testing.T, source Source, lang question.Lang) {
		files, err := Files(source, lang)
		if err != nil {
			t.Fatal(err)
		}
		folder := filepath.Join("..", "deploy", "grafana", "dashboards", string(source), string(lang))
		if *rewrite {
			if err := os.MkdirAll(folder, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		for name, want := range files {
			file := filepath.Join(folder, name)
			if *rewrite {
				if err := os.WriteFile(file, want, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s is not what this package writes (%v): go test ./dashboards -run Golden -rewrite", file, err)
			}
		}
		if all, _ := filepath.Glob(filepath.Join(folder, "*")); len(all) != len(files) {
			t.Errorf("%d files in %s, want %d: remove what is no board", len(all), folder, len(files))
		}
	})
}
