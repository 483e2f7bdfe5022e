package boost

import (
	"fmt"
	"math"
)

// Platt turns a model's logits into calibrated ones by a straight line: A times
// the logit plus B, with A above 0, so that the order stays. It needs few rows;
// Isotonic follows any curve and needs many.
type Platt struct{ a, b float64 }

// leastSlope is how little order is left where the logits tell nothing.
const leastSlope = 1e-3

// FitPlatt fits the line with the greatest likelihood to logits and classes 0
// and 1, by weights (finite, at least 0; nil is 1 each; one is one observation).
// The logits should come from rows the model did not see: OutOfFold.
//
// It is Newton's method with backtracking as in Lin, Lin and Weng, "A note on
// Platt's probabilistic outputs" (2007), with Platt's targets, which stay off 0
// and 1 by as much as few observations leave open.
func FitPlatt(logits []float64, classes []uint8, weights []float32) (*Platt, error) {
	rows, err := observations(logits, classes, weights)
	if err != nil {
		return nil, err
	}
	return plattOf(rows), nil
}

func plattOf(rows []observation) *Platt {
	fit := newPlattFit(rows)
	line := fit.newton(Platt{0, logit(fit.share)}, false)
	if line.a < leastSlope {
		line = fit.newton(Platt{leastSlope, logit(fit.share) - float64(leastSlope*fit.middle)}, true)
	}
	return &line
}

// plattFit is what a line is fitted to.
type plattFit struct {
	rows      []observation
	weight    float64 // of all rows
	share     float64 // of class 1, where the fit starts
	middle    float64 // mean logit
	one, zero float64 // targets of the classes
}

func newPlattFit(rows []observation) *plattFit {
	fit, ones := &plattFit{rows: rows}, 0.0
	for _, row := range rows {
		fit.weight += row.weight
		ones += row.ones
		fit.middle += float64(row.weight * row.logit)
	}
	fit.middle /= fit.weight
	fit.share = (ones + 1) / (fit.weight + 2)
	fit.one, fit.zero = (ones+1)/(ones+2), 1/(fit.weight-ones+2)
	return fit
}

// newton goes from a line to the best one, with its slope kept if told so.
func (fit *plattFit) newton(line Platt, keepSlope bool) Platt {
	const steps, ridge, enough = 100, 1e-12, 1e-12
	loss := fit.loss(line)
	for range steps {
		ga, gb, haa, hab, hbb := fit.derivatives(line)
		da, db := 0.0, -gb/(hbb+ridge)
		if !keepSlope {
			haa, hbb = haa+ridge, hbb+ridge
			det := float64(haa*hbb) - float64(hab*hab)
			da = (float64(hab*gb) - float64(hbb*ga)) / det
			db = (float64(hab*ga) - float64(haa*gb)) / det
		}
		saved := -(float64(ga*da) + float64(gb*db)) // twice what the step saves, nearly
		if !(saved > enough*fit.weight) {
			break
		}
		size := 1.0
		next := Platt{line.a + da, line.b + db}
		for fit.loss(next) > loss-float64(1e-4*size*saved) && size > 1e-10 {
			size /= 2
			next = Platt{line.a + float64(size*da), line.b + float64(size*db)}
		}
		line, loss = next, fit.loss(next)
	}
	return line
}

// loss is the negative log-likelihood of the targets.
func (fit *plattFit) loss(line Platt) (loss float64) {
	for _, row := range fit.rows {
		z := line.Logit(row.logit)
		// log(1 + e^z), with no large power
		plus := max(z, 0) + log(1+exp(-math.Abs(z)))
		loss += float64(row.weight*plus) - float64(fit.target(row)*z)
	}
	return loss
}

// target is the sum of targets of an observation's rows.
func (fit *plattFit) target(row observation) float64 {
	return float64(row.ones*fit.one) + float64((row.weight-row.ones)*fit.zero)
}

// derivatives of the loss: gradient and hessian by slope a and offset b.
func (fit *plattFit) derivatives(line Platt) (ga, gb, haa, hab, hbb float64) {
	for _, row := range fit.rows {
		p := Sigmoid(line.Logit(row.logit))
		g := float64(row.weight*p) - fit.target(row)
		h := row.weight * p * (1 - p)
		ga, gb = ga+float64(g*row.logit), gb+g
		haa, hab, hbb = haa+float64(h*row.logit*row.logit), hab+float64(h*row.logit), hbb+h
	}
	return ga, gb, haa, hab, hbb
}

// Logit returns the calibrated log-odds. Rank by it: unlike P it tells large
// ones apart.
func (c *Platt) Logit(logit float64) float64 { return float64(c.a*logit) + c.b }

// P returns the calibrated probability.
func (c *Platt) P(logit float64) float64 { return Sigmoid(c.Logit(logit)) }

// Line returns slope and offset.
func (c *Platt) Line() (a, b float64) { return c.a, c.b }

// Append appends the stored form to dst: mark, slope, offset, checksum.
func (c *Platt) Append(dst []byte) []byte {
	from := len(dst)
	dst = append(dst, plattMark...)
	return seal(appendFloat(appendFloat(dst, c.a), c.b), from)
}

// ParsePlatt reads what Append wrote. Whatever the bytes, it returns a
// calibration that can be used or an error.
func ParsePlatt(data []byte) (*Platt, error) {
	r, err := open(data, plattMark)
	if err != nil {
		return nil, fmt.Errorf("cannot read a Platt calibration: %w", err)
	}
	c := &Platt{r.float(), r.float()}
	r.check(c.a > 0, "a slope that is not above 0")
	r.check(len(r.rest) == 0, "bytes behind its end")
	if r.err != nil {
		return nil, fmt.Errorf("cannot read a Platt calibration: %w", r.err)
	}
	return c, nil
}
