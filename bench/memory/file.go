package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"os"
)

// writer appends records to a file.
type writer struct{ *bufio.Writer }

func newWriter(file *os.File) *writer { return &writer{bufio.NewWriterSize(file, 1<<20)} }

// write keeps errors for Flush.
func (w *writer) write(r *record) {
	shared := int64(0)
	if r.Shared {
		shared = 1
	}
	for _, n := range [...]int64{shared, int64(r.Partition), r.Applied, int64(len(r.Key)), int64(len(r.Value))} {
		_, _ = w.Write(binary.AppendVarint(nil, n))
	}
	_, _ = w.Write(r.Key)
	_, _ = w.Write(r.Value)
}

// read calls f with every record of a file; a value without bytes is nil.
func read(file *os.File, f func(*record) error) error {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	from := bufio.NewReaderSize(file, 1<<20)
	for {
		var numbers [5]int64
		for i := range numbers {
			n, err := binary.ReadVarint(from)
			if errors.Is(err, io.EOF) && i == 0 {
				return nil
			}
			if err != nil {
				return err
			}
			numbers[i] = n
		}
		r := record{Shared: numbers[0] == 1, Partition: int(numbers[1]), Applied: numbers[2], Key: make([]byte, numbers[3])}
		if numbers[4] > 0 {
			r.Value = make([]byte, numbers[4])
		}
		for _, part := range [][]byte{r.Key, r.Value} {
			if _, err := io.ReadFull(from, part); err != nil {
				return err
			}
		}
		if err := f(&r); err != nil {
			return err
		}
	}
}
