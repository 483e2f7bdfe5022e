package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"

	"golang.org/x/term"

	"recoup/internal/config"
)

// defaultConfig is read when no other file is named and it is there.
const defaultConfig = "recoup.yaml"

// session is what a command works with, beside its own flags.
type session struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        []string
	flags          Globals
}

// settings reads the configuration, flags over environment over file.
func (s *session) settings() (*config.Loaded, error) {
	file := s.flags.ConfigFile
	if file == "" {
		if _, err := os.Stat(defaultConfig); err == nil {
			file = defaultConfig
		}
	}
	loaded, err := config.Load(file, s.environ)
	if err != nil {
		return nil, err
	}
	if s.flags.LogLevel != "" {
		loaded.Log.Level = s.flags.LogLevel
		loaded.Origins["log.level"] = "--log-level"
	}
	for _, unused := range loaded.Unused {
		fmt.Fprintf(s.stderr, "recoup: %s\n", unused)
	}
	return loaded, nil
}

// logger writes to standard error in the configured form.
func (s *session) logger(c config.Log) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		panic("the level was validated: " + err.Error())
	}
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(s.stderr, options))
	}
	return slog.New(slog.NewTextHandler(s.stderr, options))
}

// isTerminal reports whether a stream is one that a person looks at.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
