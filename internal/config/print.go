package config

import (
	"fmt"
	"io"

	"github.com/goccy/go-yaml"
)

// Print writes the settings as YAML, secrets hidden; a comment behind a value
// says what set it when it is not the default.
func (l *Loaded) Print(w io.Writer) error {
	comments := yaml.CommentMap{}
	for path, origin := range l.Origins {
		comments["$."+path] = []*yaml.Comment{yaml.LineComment(" " + origin)}
	}
	out, err := yaml.MarshalWithOptions(l.Config, yaml.WithComment(comments), yaml.IndentSequence(true))
	if err != nil {
		return fmt.Errorf("cannot print the configuration: %w", err)
	}
	_, err = w.Write(out)
	return err
}
