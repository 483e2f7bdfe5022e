package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"recoup/internal/config"
)

// fill lets ClickHouse's disk be full and returns what frees it. Where the data has a file
// system of its own a file takes what is left there; elsewhere the tables are told to
// keep more space free than there is: inserts fail with the same NOT_ENOUGH_SPACE, only
// merges and mutations go on.
func (s *site) fill(ctx context.Context, c config.ClickHouse) (free func(context.Context) error, err error) {
	if s.disk != "" {
		return s.ballast()
	}
	leave := func(ctx context.Context, bytes config.Size) error {
		for _, table := range []string{"scored_invoices", "invoice_lines"} {
			if _, err := s.ask(ctx, fmt.Sprintf("ALTER TABLE %s.%s MODIFY SETTING min_free_disk_bytes_to_perform_insert = %d",
				c.Database, table, int64(bytes))); err != nil {
				return err
			}
		}
		return nil
	}
	free = func(ctx context.Context) error { return leave(ctx, c.MinFreeDisk) }
	return free, leave(ctx, 1<<60)
}

// ballast takes all space of the file system of ClickHouse's data.
func (s *site) ballast() (free func(context.Context) error, err error) {
	name := filepath.Join(s.disk, "ballast")
	file, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	free = func(context.Context) error { return os.Remove(name) }
	piece := make([]byte, 1<<20)
	for size := len(piece); size > 0; {
		switch _, err := file.Write(piece[:size]); {
		case errors.Is(err, syscall.ENOSPC):
			size /= 2 // what is left is smaller
		case err != nil:
			return nil, errors.Join(err, free(context.Background()))
		}
	}
	return free, nil
}
