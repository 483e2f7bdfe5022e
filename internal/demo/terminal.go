package demo

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"recoup/invoice"
)

// line returns the live figures as one line of the terminal.
func (f *Figures) line() string {
	var money strings.Builder
	for _, m := range f.Money {
		fmt.Fprintf(&money, "  %s %s too low, %s too high", m.Currency, whole(m.TooLow), whole(m.TooHigh))
	}
	if money.Len() == 0 {
		money.WriteString("  none")
	}
	rate := thousands(int(f.PerSecond+0.5)) + "/s"
	if f.Training {
		rate = "waits for a model to be trained"
	}
	return fmt.Sprintf("%3.0f s  %s of %s scored, %s  by %s  flagged %s  cases %d  at risk:%s", f.Elapsed.Seconds(),
		thousands(f.Scored), thousands(f.Total), rate, f.Model, f.Flagged, f.Cases, money.String())
}

// String returns the share and its interval: "2.8 % [2.3–3.4]".
func (i Interval) String() string {
	return fmt.Sprintf("%.1f %% [%.1f–%.1f]", 100*i.Share, 100*i.Low, 100*i.High)
}

// thousands writes a count with separators: 12,345.
func thousands(n int) string {
	digits := strconv.Itoa(n)
	for at := len(digits) - 3; at > 0 && digits[at-1] != '-'; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

// whole writes an amount without its decimals, rounded to the nearest unit.
func whole(a invoice.Amount) string {
	return thousands(int((a + 5_000) / 10_000))
}

// follow prints the figures every interval until stop is closed, and once more then.
func follow(out io.Writer, t *tally, every time.Duration, stop <-chan struct{}) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		ended := false
		select {
		case <-ticker.C:
		case <-stop:
			ended = true
		}
		if f := t.figures(); f.Scored > 0 {
			fmt.Fprintln(out, f.line())
		}
		if ended {
			return
		}
	}
}
