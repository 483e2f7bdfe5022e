package source

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// golden compares a text with testdata/<name>.txt.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *rewrite {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test ./pkg/source -rewrite, and read the diff); got:\n%s\nwant:\n%s", path, got, want)
	}
}

// readable writes an answer as a person reads it: each frame's type and fields, then
// its rows.
func readable(r backend.DataResponse) string {
	var out strings.Builder
	if r.Error != nil {
		fmt.Fprintf(&out, "error %d from %s: %v\n", r.Status, r.ErrorSource, r.Error)
	}
	for _, frame := range r.Frames {
		fmt.Fprintf(&out, "frame %s, type %s", frame.Name, frame.Meta.Type)
		if frame.Meta.Channel != "" {
			fmt.Fprintf(&out, ", channel %s", frame.Meta.Channel)
		}
		out.WriteString("\n")
		for _, notice := range frame.Meta.Notices {
			fmt.Fprintf(&out, "notice: %s\n", notice.Text)
		}
		for _, field := range frame.Fields {
			fmt.Fprintf(&out, "  %s %s", field.Name, field.Type())
			if len(field.Labels) > 0 {
				fmt.Fprintf(&out, " {%s}", field.Labels)
			}
			if c := field.Config; c != nil {
				fmt.Fprintf(&out, " %q", c.DisplayNameFromDS)
				if c.Unit != "" {
					fmt.Fprintf(&out, " in %s", c.Unit)
				}
				if below, ok := c.Custom["fillBelowTo"]; ok {
					fmt.Fprintf(&out, ", filled to %q", below)
				}
			}
			out.WriteString("\n")
		}
		for i := range frame.Rows() {
			cells := make([]string, len(frame.Fields))
			for j, field := range frame.Fields {
				cells[j] = cell(field, i)
			}
			fmt.Fprintf(&out, "%s\n", strings.Join(cells, " | "))
		}
	}
	return out.String()
}

// cell writes a value; a time of the test's own run, or a day from it, is just recent.
func cell(field *data.Field, row int) string {
	value, there := field.ConcreteAt(row)
	if !there {
		return "null"
	}
	switch v := value.(type) {
	case float64:
		return strconv.FormatFloat(v, 'g', 6, 64)
	case time.Time:
		if since := time.Since(v); since < 2*time.Hour && since > -25*time.Hour {
			return "recently"
		}
		return v.UTC().Format(time.RFC3339)
	}
	return fmt.Sprint(value)
}
