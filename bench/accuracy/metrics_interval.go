package main

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
)

// figure is a measured value with its 95 % interval; NaN where nothing can be told.
type figure struct {
	Value, Low, High float64
}

// MarshalJSON writes value, low and high; null for what cannot be told.
func (f figure) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]*float64{"value": orNull(f.Value), "low": orNull(f.Low), "high": orNull(f.High)})
}

// number is a value that may be NaN or infinite, which JSON carries as null.
type number float64

// MarshalJSON writes the number or null.
func (n number) MarshalJSON() ([]byte, error) { return json.Marshal(orNull(float64(n))) }

func orNull(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// bootstrapSeed makes every run draw the same resamples, and every method of a
// file the same invoices.
const bootstrapSeed = 4

// bootstrap returns the figures of a ranking with their 95 % percentile
// intervals over resamples of the invoices.
func (r *ranking) bootstrap(resamples int) (out [headlines]figure) {
	n := len(r.rank)
	weights := make([]uint16, n)
	for i := range weights {
		weights[i] = 1
	}
	for h, value := range r.figures(weights) {
		out[h] = figure{Value: value, Low: math.NaN(), High: math.NaN()}
	}
	if n == 0 {
		return out
	}
	draw := rand.New(rand.NewPCG(bootstrapSeed, 0))
	var drawn [headlines][]float64
	for range resamples {
		clear(weights)
		for range n {
			weights[r.rank[draw.IntN(n)]]++
		}
		for h, value := range r.figures(weights) {
			if !math.IsNaN(value) {
				drawn[h] = append(drawn[h], value)
			}
		}
	}
	for h := range out {
		out[h].Low, out[h].High = percentiles(drawn[h])
	}
	return out
}

// bootstrapOf returns any statistic of n things with its interval. The
// statistic is given the indices of a resample.
func bootstrapOf(n, resamples int, statistic func(sample []int) float64) figure {
	sample := make([]int, n)
	for i := range sample {
		sample[i] = i
	}
	f := figure{Value: statistic(sample), Low: math.NaN(), High: math.NaN()}
	if n == 0 {
		return f
	}
	draw := rand.New(rand.NewPCG(bootstrapSeed, 0))
	var drawn []float64
	for range resamples {
		for i := range sample {
			sample[i] = draw.IntN(n)
		}
		if value := statistic(sample); !math.IsNaN(value) {
			drawn = append(drawn, value)
		}
	}
	f.Low, f.High = percentiles(drawn)
	return f
}

// percentiles sorts values and returns their 2.5 % and 97.5 % points.
func percentiles(values []float64) (low, high float64) {
	if len(values) == 0 {
		return math.NaN(), math.NaN()
	}
	slices.Sort(values)
	return quantile(values, 0.025), quantile(values, 0.975)
}

// quantile interpolates between the two values next to share q of a sorted list.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := q * float64(len(sorted)-1)
	below := int(at)
	rest := at - float64(below)
	if rest == 0 || sorted[below] == sorted[below+1] { // infinities have no difference
		return sorted[below]
	}
	return sorted[below] + rest*(sorted[below+1]-sorted[below])
}

// wilson returns k of n with its 95 % Wilson interval, which holds for few cases
// and for shares near 0 and 1 too.
func wilson(k, n int) figure {
	if n == 0 {
		return figure{math.NaN(), math.NaN(), math.NaN()}
	}
	const z = 1.959964
	total, share := float64(n), float64(k)/float64(n)
	denominator := 1 + z*z/total
	centre := (share + z*z/(2*total)) / denominator
	half := z / denominator * math.Sqrt(share*(1-share)/total+z*z/(4*total*total))
	return figure{Value: share, Low: max(centre-half, 0), High: min(centre+half, 1)}
}
