package detectors

import (
	"cmp"
	"math"
	"slices"

	"recoup/detectors/boost"
	"recoup/detectors/inject"
)

// examples are what the classifiers of one seller are trained on: the evidence on
// its newest invoices, as they came and with errors put in.
type examples struct {
	practice  practice
	rows      []example // a ring
	seen      int       // ever added
	invoices  int       // that the seller billed
	first     int64     // day of the first invoice
	trained   int       // seen when a classifier was trained last, 0: never
	trainedOn int64     // day of that
	triedOn   int64     // newest day on which training was due

	labels   map[uint64]Label // by identity of the invoice
	recovery RecoveryRate
}

type example struct {
	x      [features]float32
	group  uint32
	wrong  bool  // an error was put in
	proved bool  // exact evidence finds it without any training
	usual  bool  // the evidence passes no gate
	cause  uint8 // of the error, index in causeCodes

	identity uint64 // of the invoice, of a real row
}

const (
	// mostExamples of a seller are kept, the newest. Each takes 0.5 kB.
	mostExamples = 45_000
	// fewestWrong and fewestReal are what training needs.
	fewestWrong = 150
	fewestReal  = 300
)

func newExamples(day int64) *examples { return &examples{practice: newPractice(), first: day} }

func (s *examples) add(ev *evidence, group uint32, kind inject.Kind, wrong bool) {
	row := example{x: ev.x, group: group, wrong: wrong, proved: ev.proof() >= proofEnough,
		usual: ev.usual()}
	if wrong {
		row.cause = uint8(slices.Index(causeCodes[:], kind.Cause()))
	}
	if len(s.rows) < mostExamples {
		s.rows = append(s.rows, row)
	} else {
		s.rows[s.seen%mostExamples] = row
	}
	s.seen++
}

// addReal adds an invoice as it came.
func (s *examples) addReal(ev *evidence, group uint32) {
	s.add(ev, group, 0, false)
	s.rows[(s.seen-1)%mostExamples].identity = ev.hashes.Identity
}

// census counts examples.
type census struct{ real, realProved, wrong, wrongProved float64 }

func (s *examples) census() (c census) {
	for i := range s.rows {
		r := &s.rows[i]
		switch {
		case r.wrong && r.proved:
			c.wrongProved++
			fallthrough
		case r.wrong:
			c.wrong++
		case r.proved:
			c.realProved++
			fallthrough
		default:
			c.real++
		}
	}
	return c
}

// baseRate estimates the share of errors among the real invoices: as many more
// than are proved as among the errors that were put in, where that is known. A
// little of the usual share is mixed in, for sellers with few invoices.
func (c *census) baseRate() (all, unproved float64) {
	const usual, weight, least = 0.03, 200, 0.005
	proved := (c.wrongProved + 1) / (c.wrong + 2)
	all = (c.realProved + weight*usual*proved) / (c.real + weight) / proved
	all = max(least, min(mostErrors, all))
	return all, all * (1 - proved) * c.real / (c.real - c.realProved)
}

// training is one training under way, on the examples that are not proved.
type training struct {
	o     TrainerOptions
	set   boost.Set
	group []uint32
	wrong float64                         // rows with an error put in
	usual []float64                       // by row: how much a real one counts as free of errors
	gated [2]struct{ usual, all float64 } // real and altered rows: how many pass no gate

	labels      []*Label // by row: what people decided of it
	wrongWeight float32  // of an altered row, by balance
}

// train returns a classifier, nil when there are too few examples.
//
// The real rows hold real errors, and nobody says which. That leaves their order
// by "altered or real?" as it is, but not the probabilities: those are
// p = base rate × density of altered rows / density of real rows (Elkan and Noto,
// "Learning classifiers from only positive and unlabeled data", KDD 2008), from
// logits of models that did not see the row. So that real errors do not blur the
// second training, the real rows that the first one takes for altered count little.
func (s *examples) train(seller string, o TrainerOptions) *Classifier {
	c := s.census()
	if c.wrong-c.wrongProved < fewestWrong || c.real-c.realProved < fewestReal {
		return nil
	}
	base, unproved := c.baseRate()
	t := s.unproved(o)
	t.balance()
	logits := t.outOfFold(firstRounds)
	for i, y := range t.set.Y {
		if t.labels[i] != nil {
			continue
		}
		if odds := math.Exp(logits[i]); y == 0 && odds > 1 {
			t.usual[i] = 0.02
		} else if y == 0 {
			t.usual[i] = 1 - 0.1*odds
		}
	}
	t.balance()
	logits = t.outOfFold(rounds)
	forest := mustTrain(&t.set, t.options(rounds))
	t.disregard()
	unproved = max(unproved, t.leastErrors(logits))
	base = max(base, (c.realProved+unproved*(c.real-c.realProved))/c.real)
	t.weigh(unproved)
	curve, err := boost.FitIsotonic(logits, t.set.Y, t.set.W)
	if err != nil {
		panic("the training's own logits cannot be calibrated: " + err.Error())
	}
	m := &Classifier{seller: seller, baseRate: base, rows: uint32(len(s.rows)), forest: forest, curve: curve,
		causes: s.causes(o), recovery: s.recovery}
	m.threshold = t.threshold(m, logits, c.realProved)
	if len(s.labels) > 0 {
		t.recalibrate(m, logits)
		m.threshold = t.threshold(m, logits, c.realProved)
		s.weighCauses(m)
	}
	m.usual = unproved * t.usualRatio()
	m.version = versionOf(m.body())
	return m
}

// unproved takes the rows that exact evidence does not find. Those of one half of
// the groups come first, so that the folds are mixed in time.
func (s *examples) unproved(o TrainerOptions) *training {
	t := &training{o: o, set: boost.Set{Width: int(features)}}
	for half := range uint32(folds) {
		for i := range s.rows {
			if r := &s.rows[i]; !r.proved && r.group%folds == half {
				t.add(r)
				t.labels = append(t.labels, s.label(r))
			}
		}
	}
	t.set.W = make([]float32, len(t.set.Y))
	return t
}

func (t *training) add(r *example) {
	y := uint8(0)
	if r.wrong {
		y, t.wrong = 1, t.wrong+1
	}
	if t.gated[y].all++; r.usual {
		t.gated[y].usual++
	}
	t.set.X = append(t.set.X, r.x[:]...)
	t.set.Y = append(t.set.Y, y)
	t.group = append(t.group, r.group)
	t.usual = append(t.usual, 1)
}

// How classifiers are trained: found by trying on the retail and grocery corpora,
// where neither matters much.
const (
	firstRounds = 60
	rounds      = 160
	causeRounds = 20
	causeRows   = 8000
	wrongShare  = 0.3 // weight of all altered rows over that of all real ones
	folds       = 2
	mostErrors  = 0.2 // share of invoices believed to be wrong
)

func (t *training) options(rounds int) boost.Options {
	return boost.Options{Rounds: rounds, Depth: 7, LearningRate: 0.1, Bins: 64, Lambda: 1, MinWeight: 0.3,
		Columns: 0.2, Seed: 1, Workers: t.o.Workers, Stop: t.o.Stop}
}

// balance weighs the rows for training.
func (t *training) balance() {
	var usual float64
	for i, y := range t.set.Y {
		if y == 0 {
			usual += t.usual[i]
		}
	}
	t.wrongWeight = float32(wrongShare * usual / t.wrong)
	for i, y := range t.set.Y {
		t.set.W[i] = float32(t.usual[i])
		if y == 1 {
			t.set.W[i] = t.wrongWeight
		}
	}
	t.heed()
}

// weigh weighs them for calibration: every real row counts, the altered ones as
// many as there should be errors.
func (t *training) weigh(baseRate float64) {
	real := float64(len(t.set.Y)) - t.wrong
	for i, y := range t.set.Y {
		t.set.W[i] = 1
		if y == 1 {
			t.set.W[i] = float32(baseRate * real / t.wrong)
		}
	}
}

func (t *training) outOfFold(rounds int) []float64 {
	logits, err := boost.OutOfFold(&t.set, t.options(rounds), folds, t.group)
	if err != nil {
		panic("the training's own rows cannot be trained on: " + err.Error())
	}
	return logits
}

func mustTrain(set *boost.Set, o boost.Options) *boost.Forest {
	forest, err := boost.Train(set, o)
	if err != nil {
		panic("the training's own rows cannot be trained on: " + err.Error())
	}
	return forest
}

// usualRatio is how much rarer invoices with nothing unusual are among the altered
// than among the real ones: so much less than the base rate is wrong of them.
func (t *training) usualRatio() float64 {
	share := func(y int) float64 { return (t.gated[y].usual + 1) / (t.gated[y].all + 1) }
	return min(1, share(1)/share(0))
}

// leastErrors estimates the share of errors among the real rows from those that
// look most like altered ones: nearly all of these are errors, and the share of
// altered rows that looks so says how many more there are. Of all such cuts the one
// that says least is the purest (best bin estimation: Garg et al., "Mixture
// proportion estimation and PU learning: a modern approach", NeurIPS 2021), each
// with a standard deviation added, as few rows say little.
//
// It does not need errors that are proved, which come in bursts and so at times are
// few; where errors are many, models learn to take them for usual and it says too
// little. So what it says is a least.
func (t *training) leastErrors(logits []float64) float64 {
	const fewest, most = 0.1, 0.7 // share of altered rows above a cut
	least, altered, real := 1.0, 0.0, 0.0
	order := byLogit(logits)
	for at, i := range order {
		if t.set.Y[i] == 1 {
			altered++
		} else {
			real++
		}
		if at+1 < len(order) && logits[order[at+1]] == logits[i] {
			continue // rows that look alike are not cut apart
		}
		if share := altered / t.wrong; share >= fewest && share <= most {
			least = min(least, (real+math.Sqrt(real)+1)/(share*(float64(len(logits))-t.wrong)))
		}
	}
	return min(least, mostErrors)
}

// byLogit returns the rows, the highest logit first.
func byLogit(logits []float64) []int {
	order := make([]int, len(logits))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(logits[b], logits[a]) })
	return order
}

// threshold returns the lowest p at which, with the proved ones, four of five
// suspects are right, though none of them less likely than leastSuspect.
func (t *training) threshold(m *Classifier, logits []float64, proved float64) float64 {
	const precision, leastSuspect, never = 0.8, 0.15, 0.9
	threshold, right, all := never, 0.95*proved, proved
	for _, i := range byLogit(logits) {
		p := m.calibrated(logits[i])
		switch {
		case t.set.Y[i] == 0:
			all++
			if m.feedback.n > 0 { // people say how probable errors are
				right += p
			}
		case m.feedback.n == 0:
			right += float64(t.set.W[i])
		}
		if right >= precision*all && p >= leastSuspect {
			threshold = min(threshold, p)
		}
	}
	return threshold
}

// causes trains what tells the causes apart, on the newest altered rows.
func (s *examples) causes(o TrainerOptions) *boost.Forest {
	set := &boost.Set{Width: int(features)}
	for i := range s.rows {
		r := &s.rows[(s.seen+i)%len(s.rows)]
		if r.wrong {
			set.X = append(set.X, r.x[:]...)
			set.Y = append(set.Y, r.cause)
		}
	}
	if extra := len(set.Y) - causeRows; extra > 0 {
		set.X, set.Y = set.X[extra*set.Width:], set.Y[extra:]
	}
	return mustTrain(set, boost.Options{Classes: len(causeCodes), Rounds: causeRounds, Depth: 4, LearningRate: 0.2,
		Bins: 32, Lambda: 1, MinWeight: 1, Workers: o.Workers, Stop: o.Stop})
}
