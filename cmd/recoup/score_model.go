package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"recoup/detectors"
	"recoup/invoice"
	"recoup/pipeline/model"
)

// modelFlags say which model judges.
type modelFlags struct {
	Model string `default:"train" placeholder:"FILE" help:"Judge by stored models, or by the prior; by default train."`
}

// models are those of a file.
type models struct {
	file     string
	bySeller map[string]*detectors.Classifier // that judges a seller
}

// open gives the engine what --model says and returns what trains it, or the models
// of a file.
func (f *modelFlags) open(e *detectors.Engine, s *session) (*training, *models, error) {
	switch f.Model {
	case "train":
		return &training{trainer: detectors.NewTrainer(detectors.TrainerOptions{Workers: runtime.GOMAXPROCS(0)}),
			newest: map[string]time.Time{}, last: map[string]trained{}}, nil, nil
	case "prior":
		return nil, nil, nil
	case "-":
		return nil, nil, usage("cannot read models from standard input: name a file")
	}
	in, err := openInput(f.Model, "models", s, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("%w; want --model train, prior or a file", err)
	}
	defer in.Close()
	records, err := model.ReadAll(in.lines)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", f.Model, err)
	}
	if len(records) == 0 {
		return nil, nil, fmt.Errorf("cannot use %s: it holds no model; --save-model writes one", f.Model)
	}
	all := &models{file: f.Model, bySeller: map[string]*detectors.Classifier{}}
	for _, r := range records {
		c, err := r.Classifier()
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", f.Model, err)
		}
		e.UseClassifier(c)
		all.bySeller[c.Seller()] = c
	}
	return nil, all, nil
}

// threshold is the p_error from which the invoice just scored would be suspect.
func (r *scoring) threshold() float64 {
	var c *detectors.Classifier
	switch {
	case r.models != nil:
		c = r.models.bySeller[r.invoice.Seller]
	case r.training != nil:
		c = r.training.last[r.invoice.Seller].model
	}
	if r.settings.SuspectThreshold == 0 && c != nil && c.Version() == r.verdict.Model.Version {
		return c.Threshold()
	}
	return cmp.Or(r.settings.SuspectThreshold, 0.5)
}

// training is how a file trains the models that judge the rest of it.
type training struct {
	trainer *detectors.Trainer
	newest  map[string]time.Time // issue date of a seller's newest invoice
	last    map[string]trained   // by seller
}

// trained is the newest model of a seller and when it took effect.
type trained struct {
	from   time.Time // issue date of the first invoice it judged
	model  *detectors.Classifier
	before int       // models that judged before it
	first  time.Time // issue date of the first invoice that any of them judged
}

func (t trained) String() string {
	said := fmt.Sprintf("%s, trained on %d examples, from %s on: base rate %.1f %%, suspect from %.2f", t.model.Version(),
		t.model.Examples(), t.from.UTC().Format(time.DateOnly), 100*t.model.BaseRate(), t.model.Threshold())
	if t.before > 0 {
		said += fmt.Sprintf("; %d before it since %s", t.before, t.first.UTC().Format(time.DateOnly))
	}
	return said
}

// prepare trains where it is due, before an invoice is scored. It returns
// whether it did.
func (t *training) prepare(e *detectors.Engine, inv *invoice.Invoice) bool {
	c := t.trainer.Prepare(e)
	if c != nil {
		next := trained{from: inv.IssuedAt, model: c, first: inv.IssuedAt}
		if last, ok := t.last[c.Seller()]; ok {
			next.before, next.first = last.before+1, last.first
		}
		t.last[c.Seller()] = next
	}
	return c != nil
}

// observe learns from the invoice that was scored.
func (t *training) observe(e *detectors.Engine, inv *invoice.Invoice) {
	t.trainer.Observe(e)
	if inv.IssuedAt.After(t.newest[inv.Seller]) {
		t.newest[strings.Clone(inv.Seller)] = inv.IssuedAt
	}
}

// mostModels is how many sellers' models the summary names.
const mostModels = 5

// print says what was trained.
func (t *training) print(w io.Writer) {
	if len(t.last) == 0 {
		fmt.Fprintln(w, "no model was trained: it takes a week of a seller's invoices and some hundreds of them")
		return
	}
	sellers := slices.SortedFunc(maps.Keys(t.last), func(a, b string) int {
		return cmp.Or(cmp.Compare(t.last[b].model.Examples(), t.last[a].model.Examples()), strings.Compare(a, b))
	})
	for i, seller := range sellers {
		if i == mostModels {
			fmt.Fprintf(w, "and %d more models\n", len(sellers)-i)
			return
		}
		fmt.Fprintf(w, "model of %s: %s\n", seller, t.last[seller])
	}
}

// save trains every seller once more, on all that was read, and writes the models.
func (t *training) save(file *modelFile, stderr io.Writer) error {
	var lines bytes.Buffer
	saved := 0
	for _, seller := range t.trainer.Sellers() {
		c := t.trainer.Train(seller)
		if c == nil {
			continue
		}
		r, err := model.New(c, t.newest[seller])
		if err != nil {
			return err
		}
		line, err := r.Encode()
		if err != nil {
			return err
		}
		lines.Write(append(line, '\n'))
		saved++
	}
	if saved == 0 {
		return errors.New("cannot save a model: no seller has invoices enough to train on")
	}
	if err := file.write(lines.Bytes()); err != nil {
		return err
	}
	fmt.Fprintf(stderr, "saved in %s, one for each seller, trained on all that was read: %d\n", file.Name(), saved)
	return nil
}

// modelFile is the file that models will be saved in.
type modelFile struct {
	*os.File
	remove bool // when it is closed: it is new, and nothing was written
}

// reserve opens the file before the work of minutes that fills it. Models that it
// holds stay until there are others.
func reserve(path string) (*modelFile, error) {
	_, err := os.Lstat(path)
	file := &modelFile{remove: errors.Is(err, os.ErrNotExist)}
	if file.File, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600); err != nil {
		return nil, fmt.Errorf("cannot save models: %w", err)
	}
	return file, nil
}

// write puts the models in place of what the file holds.
func (f *modelFile) write(models []byte) error {
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		if err := f.Truncate(0); err != nil {
			return fmt.Errorf("cannot save models: %w", err)
		}
	}
	if _, err := f.Write(models); err != nil {
		return fmt.Errorf("cannot save models: %w", err)
	}
	f.remove = false
	if err := f.Close(); err != nil {
		return fmt.Errorf("cannot save models: %w", err)
	}
	return nil
}

// close ends writing and leaves no empty file behind.
func (f *modelFile) close() {
	_ = f.Close() // what was written is closed already
	if f.remove {
		_ = os.Remove(f.Name()) // an empty file is only ugly
	}
}
