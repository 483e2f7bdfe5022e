package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/schollz/progressbar/v3"
)

// largestWindow bounds the memory that a compressed file can make us use.
const largestWindow = 128 << 20

// input is a file of lines, decompressed where its first bytes say so.
type input struct {
	name  string // as messages call it
	lines *bufio.Reader
	bar   *progressbar.ProgressBar // nil: no terminal to draw it on
	file  *os.File                 // nil: standard input
	limit int
	line  []byte // the line last read, at most limit+1 bytes of it
	close func()
}

// openInput opens a file, or standard input for "-", that holds what, such as
// invoices. Lines are kept up to limit bytes.
func openInput(name, what string, s *session, limit int) (*input, error) {
	in := &input{name: name, limit: limit, close: func() {}}
	raw, size := s.stdin, int64(-1)
	if name == "-" {
		in.name = "stdin"
	} else {
		file, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("cannot read %s: %w", what, err)
		}
		in.file, raw = file, file
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			size = info.Size()
		}
	}
	if isTerminal(s.stderr) {
		in.bar = progressbar.NewOptions64(size, progressbar.OptionSetWriter(s.stderr),
			progressbar.OptionSetDescription(in.name), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish())
		raw = io.TeeReader(raw, in.bar)
	}
	if err := in.decompress(bufio.NewReaderSize(raw, 256<<10)); err != nil {
		in.Close()
		return nil, err
	}
	in.skipMark()
	return in, nil
}

// skipMark skips the byte order mark that some programs write before UTF-8 text.
func (in *input) skipMark() {
	mark := []byte("\xef\xbb\xbf")
	if start, _ := in.lines.Peek(len(mark)); bytes.Equal(start, mark) { // an error shows at the first line
		_, _ = in.lines.Discard(len(mark))
	}
}

// decompress looks at the first bytes, not at the name.
func (in *input) decompress(raw *bufio.Reader) error {
	magic, err := raw.Peek(4)
	if err != nil && err != io.EOF {
		return fmt.Errorf("cannot read %s: %w", in.name, err)
	}
	var plain io.Reader = raw
	switch {
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(raw, zstd.WithDecoderMaxWindow(largestWindow), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return fmt.Errorf("cannot decompress %s: %w", in.name, err)
		}
		plain, in.close = z, z.Close
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		g, err := gzip.NewReader(raw)
		if err != nil {
			return fmt.Errorf("cannot decompress %s: %w", in.name, err)
		}
		plain = g
	default:
		in.lines = raw
		return nil
	}
	in.lines = bufio.NewReaderSize(plain, 256<<10)
	return nil
}

// next reads a line without its end and returns its bytes, valid until the next
// call, and its full length. Of a line longer than the limit it keeps limit+1
// bytes. It returns io.EOF behind the last line.
func (in *input) next() (line []byte, length int, err error) {
	in.line = in.line[:0]
	for {
		part, err := in.lines.ReadSlice('\n')
		length += len(part)
		room := in.limit + 1 - len(in.line)
		in.line = append(in.line, part[:min(len(part), max(0, room))]...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err == nil:
			length--
			return bytes.TrimSuffix(in.line, []byte("\n")), length, nil
		case err == io.EOF && length > 0:
			return in.line, length, nil
		case err == io.EOF:
			return nil, 0, io.EOF
		default:
			return nil, 0, fmt.Errorf("cannot read %s: %w", in.name, err)
		}
	}
}

// start returns what is there of the input's beginning, without waiting for more.
func (in *input) start() []byte {
	_, _ = in.lines.Peek(1) // an error shows at the first line
	text, _ := in.lines.Peek(in.lines.Buffered())
	return text
}

// idle reports whether the next line has to be waited for.
func (in *input) idle() bool { return in.lines.Buffered() == 0 }

// hush takes the progress bar off the terminal before something is printed.
func (in *input) hush() {
	if in.bar != nil {
		_ = in.bar.Clear() // a bar that cannot be cleared is only ugly
	}
}

// Close ends reading.
func (in *input) Close() {
	in.close()
	if in.bar != nil {
		_ = in.bar.Finish()
	}
	if in.file != nil {
		_ = in.file.Close()
	}
}
