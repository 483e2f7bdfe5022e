package boost

import "math"

// exp and log are written out here because those of the standard library use
// other instructions on other processors and then differ in the last bit. Each
// product that is added is rounded first, by a conversion, which the language
// specification promises to keep a compiler from fusing the two.

// The natural logarithm of 2 in two pieces: the upper one has so few bits that
// its product with an exponent is exact.
const (
	ln2High = 6.93147180369123816490e-01
	ln2Low  = 1.90821492927058770002e-10
)

// exp is e^x, within 1 ulp, for x cut to ±700. The coefficients are those of
// FreeBSD, lib/msun/src/e_exp.c.
func exp(x float64) float64 {
	const (
		p1 = 1.66666666666666657415e-01
		p2 = -2.77777777770155933842e-03
		p3 = 6.61375632143793436117e-05
		p4 = -1.65339022054652515390e-06
		p5 = 4.13813679705723846039e-08
	)
	if x > 700 {
		x = 700
	} else if x < -700 {
		x = -700
	}
	power := math.RoundToEven(float64(x * math.Log2E))
	high, low := x-float64(power*ln2High), float64(power*ln2Low)
	r := high - low
	t := float64(r * r)
	c := p4 + float64(t*p5)
	c = p3 + float64(t*c)
	c = p2 + float64(t*c)
	c = p1 + float64(t*c)
	c = r - float64(t*c)
	y := 1 - ((low - float64(r*c)/(2-c)) - high)
	return y * math.Float64frombits(uint64(int64(power)+1023)<<52)
}

// log is the natural logarithm of a positive, finite, normal x.
func log(x float64) float64 {
	fraction, exponent := math.Frexp(x)
	if fraction < math.Sqrt2/2 {
		fraction, exponent = 2*fraction, exponent-1
	}
	// log m = 2 (s + s³/3 + s⁵/5 + …) with s = (m − 1) / (m + 1), here below 0.172
	s := (fraction - 1) / (fraction + 1)
	t := float64(s * s)
	sum := 0.0
	for n := 21.0; n >= 1; n -= 2 {
		sum = 1/n + float64(t*sum)
	}
	return float64(float64(exponent)*ln2High) + (float64(float64(exponent)*ln2Low) + float64(2*s*sum))
}

// Sigmoid turns a logit into a probability.
func Sigmoid(logit float64) float64 { return 1 / (1 + exp(-logit)) }

// logit turns a probability above 0 and below 1 into log-odds.
func logit(p float64) float64 { return log(p) - log(1-p) }

// softmax writes the probabilities of margins to dst, which may be the same.
func softmax(margins, dst []float64) {
	most := margins[0]
	for _, margin := range margins {
		most = max(most, margin)
	}
	sum := 0.0
	for i, margin := range margins {
		dst[i] = exp(margin - most)
		sum += dst[i]
	}
	for i := range dst {
		dst[i] /= sum
	}
}
