// Package model is how a trained classifier is stored: as a model.v1 record, one
// JSON object, in the topic of models and in the files of `recoup score`.
package model

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/klauspost/compress/zstd"

	"recoup/detectors"
)

// Schema is the "schema" of every stored model.
const Schema = "model.v1"

// MaxBytes is the longest record: what a topic takes whose limit was never raised.
const MaxBytes = 1<<20 - 4<<10

// mostUnpacked bounds what a damaged record can make its reader allocate.
const mostUnpacked = 64 << 20

// Record is a stored model of one seller's invoices. All but Through and Data
// repeats what Data says, for people and tools.
type Record struct {
	Schema  string `json:"schema"`  // Schema
	Seller  string `json:"seller"`  // whose invoices it judges
	Version string `json:"version"` // "trained-" and 16 hex digits of what it consists of
	// Through is the issue date of the newest invoice it was trained with, UTC.
	Through  time.Time `json:"through"`
	Examples int       `json:"examples"` // usual and altered invoices it was trained on
	// Decided is how many decided invoices its probabilities were corrected by; 0: none, or
	// too few to say.
	Decided   int     `json:"decided,omitempty"`
	BaseRate  float64 `json:"base_rate"` // estimated share of errors, 0 to 1
	Threshold float64 `json:"threshold"` // p_error from which an invoice is suspect by default, 0 to 1
	// RecoveryRate is the share of what the seller asks for that comes back, as known when
	// it was trained: the lower end, by RecoveryCases closed cases. 0: not known.
	RecoveryRate  float64 `json:"recovery_rate,omitempty"`
	RecoveryCases int64   `json:"recovery_cases,omitempty"` // behind RecoveryRate
	Data          []byte  `json:"data"`                     // the classifier, packed with zstd
}

// Key is the key of a version in the topic of models.
func Key(seller, version string) []byte { return []byte(seller + "|" + version) }

// SplitKey takes such a key apart; a version has no bar.
func SplitKey(key []byte) (seller, version string, ok bool) {
	cut := bytes.LastIndexByte(key, '|')
	if cut <= 0 || cut == len(key)-1 {
		return "", "", false
	}
	return string(key[:cut]), string(key[cut+1:]), true
}

// New returns the record of a classifier.
func New(c *detectors.Classifier, through time.Time) (*Record, error) {
	packer, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	if err != nil {
		return nil, fmt.Errorf("cannot pack model %s: %w", c.Version(), err)
	}
	return &Record{Schema: Schema, Seller: c.Seller(), Version: c.Version(), Through: through.UTC(),
		Examples: c.Examples(), Decided: c.Decided(), BaseRate: c.BaseRate(), Threshold: c.Threshold(),
		RecoveryRate: c.Recovery().Rate, RecoveryCases: c.Recovery().Cases,
		Data: packer.EncodeAll(c.Append(nil), nil)}, nil
}

// Encode returns the record's JSON.
func (r *Record) Encode() ([]byte, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("cannot encode model %s of %q: %w", r.Version, r.Seller, err)
	}
	if len(body) > MaxBytes {
		return nil, fmt.Errorf("cannot store model %s of %q: it has %d bytes, want at most %d", r.Version, r.Seller,
			len(body), MaxBytes)
	}
	return body, nil
}

// Decode reads what Encode wrote.
func Decode(body []byte) (*Record, error) {
	r := &Record{}
	if err := json.Unmarshal(body, r); err != nil {
		return nil, fmt.Errorf("cannot read model: %w", err)
	}
	if r.Schema != Schema {
		return nil, fmt.Errorf("cannot read model: schema %q, this recoup knows %q", r.Schema, Schema)
	}
	if r.Seller == "" || r.Version == "" || len(r.Data) == 0 {
		return nil, fmt.Errorf("cannot read model %q of seller %q: want seller, version and data", r.Version, r.Seller)
	}
	return r, nil
}

// Classifier unpacks the classifier. One that an older or newer recoup trained
// on other features gives an error.
func (r *Record) Classifier() (*detectors.Classifier, error) {
	unpacker, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(mostUnpacked))
	if err != nil {
		return nil, fmt.Errorf("cannot unpack model %s of %q: %w", r.Version, r.Seller, err)
	}
	defer unpacker.Close()
	data, err := unpacker.DecodeAll(r.Data, nil)
	if err != nil {
		return nil, fmt.Errorf("cannot unpack model %s of %q: %w", r.Version, r.Seller, err)
	}
	c, err := detectors.ParseClassifier(data)
	if err != nil {
		return nil, fmt.Errorf("model %s of %q: %w", r.Version, r.Seller, err)
	}
	if c.Seller() != r.Seller || c.Version() != r.Version {
		return nil, fmt.Errorf("cannot use model %s of %q: its data is that of %s of %q", r.Version, r.Seller,
			c.Version(), c.Seller())
	}
	return c, nil
}

// ReadAll reads a file of records, one a line; blank lines are skipped. Of
// several of one seller the last is the newest.
func ReadAll(from io.Reader) (list []*Record, err error) {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 2*MaxBytes)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		r, err := Decode(lines.Bytes())
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		list = append(list, r)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("cannot read models: %w", err)
	}
	return list, nil
}
