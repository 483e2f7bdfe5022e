package config

import (
	"fmt"
	"strings"
)

// Problem is one thing wrong with the settings.
type Problem struct {
	Where string // "recoup.yaml:12:5", the environment variable, or "" for a default
	Field string // path, such as kafka.sasl.username; "" when it is the file as a whole
	Text  string // what is wrong, the bad value included, and the fix
}

// String returns the problem in one line.
func (p Problem) String() string {
	var b strings.Builder
	for _, part := range []string{p.Where, p.Field} {
		if part != "" {
			b.WriteString(part + ": ")
		}
	}
	return b.String() + p.Text
}

// Error is all that is wrong with the settings, at once.
type Error struct {
	Problems []Problem // at least one, in the order of the file
}

// Error lists the problems, one a line.
func (e *Error) Error() string {
	if len(e.Problems) == 1 {
		return "cannot use the settings: " + e.Problems[0].String()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "cannot use the settings: %d problems", len(e.Problems))
	for _, p := range e.Problems {
		b.WriteString("\n  " + p.String())
	}
	return b.String()
}

// nearest returns the known path that was most likely meant, or "": a key of the
// same section with a slip or a different ending, or the same key of another one.
func nearest(path string, known []string) string {
	section, name := split(path)
	best, least := "", 2*(1+len(name)/3)
	for _, k := range known {
		otherSection, other := split(k)
		d := distance(name, other)
		if strings.HasPrefix(name, other) || strings.HasPrefix(other, name) {
			d = min(d, 1)
		}
		d *= 2
		if otherSection != section {
			d += 3
		}
		if d < least {
			best, least = k, d
		}
	}
	return best
}

// split cuts a path into its section and its last part.
func split(path string) (section, name string) {
	i := strings.LastIndexByte(path, '.')
	return path[:max(i, 0)], path[i+1:]
}

// distance counts the letters to insert, delete, replace or swap with their
// neighbour to turn a into b.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			replace := 1
			if a[i-1] == b[j-1] {
				replace = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+replace)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
