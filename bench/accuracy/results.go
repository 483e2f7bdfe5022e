package main

// results are all figures of one run; the report is written from them alone.
type results struct {
	Resamples int         `json:"resamples"` // of every bootstrap interval
	Sets      []setResult `json:"sets"`      // by name
	Ladder    []rung      `json:"cv_ladder,omitempty"`
}

// setResult is what was measured on one data set.
type setResult struct {
	Name     string          `json:"name"`
	Notes    []string        `json:"notes,omitempty"` // what is missing
	Plain    fileSize        `json:"plain"`
	Dense    fileSize        `json:"dense"` // zero without dense files
	Variants []variantResult `json:"variants"`
	Peers    []peerResult    `json:"peers,omitempty"`         // on the plain file
	LeftOut  []leftOut       `json:"leave_one_out,omitempty"` // on the dense file

	Feedback []feedbackResult `json:"feedback,omitempty"` // by file
}

// causes returns the recall per cause of the variant that knows most, nil if it
// was not measured.
func (s *setResult) causes() []group {
	if len(s.Variants) == 0 || s.Variants[len(s.Variants)-1].Dense == nil {
		return nil
	}
	return s.Variants[len(s.Variants)-1].Dense.Causes
}

// fileSize is how much there is of a file.
type fileSize struct {
	Invoices int `json:"invoices"` // without credit notes
	Scored   int `json:"scored"`   // behind the warm-up
	Errors   int `json:"errors"`   // among Scored
}

// variantResult holds recoup's figures with some of the references known.
type variantResult struct {
	Variant string        `json:"variant"` // a variant name
	Plain   plainFigures  `json:"plain"`
	Dense   *denseFigures `json:"dense,omitempty"`
}

// plainFigures come from the file with few errors.
type plainFigures struct {
	Ranking     headlineFigures `json:"ranking"`
	Suspects    int             `json:"suspects"` // flagged invoices
	Calibration calibration     `json:"calibration"`
	Alerts      alerts          `json:"false_alerts"`
}

// headlineFigures are the headline figures under their names.
type headlineFigures struct {
	AveragePrecision    figure `json:"average_precision"`
	PrecisionAtErrors   figure `json:"precision_at_errors"`
	PrecisionAtBudget   figure `json:"precision_at_budget"`
	PrecisionOfSuspects figure `json:"precision"`
	RecallOfSuspects    figure `json:"recall"`
	FalseAlertsPer100   figure `json:"false_alerts_per_100"`
	UnderBillingCaught  figure `json:"under_billing_caught"`
	OverBillingCaught   figure `json:"over_billing_caught"`
}

func named(f [headlines]figure) headlineFigures {
	return headlineFigures{
		AveragePrecision: f[averagePrecision], PrecisionAtErrors: f[precisionAtErrors],
		PrecisionAtBudget: f[precisionAtBudget], PrecisionOfSuspects: f[precisionOfSuspects],
		RecallOfSuspects: f[recallOfSuspects], FalseAlertsPer100: f[falseAlertsPer100],
		UnderBillingCaught: f[underBillingCaught], OverBillingCaught: f[overBillingCaught],
	}
}

// denseFigures come from the file with many errors.
type denseFigures struct {
	Precision figure    `json:"precision"` // of suspects; not comparable with the plain file's
	Recall    figure    `json:"recall"`    // of all errors
	Money     figure    `json:"under_billing_caught"`
	Causes    []group   `json:"causes"`
	Kinds     []group   `json:"kinds"`
	Sizes     []group   `json:"sizes"` // of under-billing
	Confusion confusion `json:"confusion"`
	// LossError is the median relative error of the estimated loss of the errors
	// found that move money.
	LossError  figure `json:"loss_error"`
	LossErrorN int    `json:"loss_error_n"`
	// SameCurrencyLossError leaves out invoices in the wrong currency.
	SameCurrencyLossError  figure  `json:"same_currency_loss_error"`
	SameCurrencyLossErrorN int     `json:"same_currency_loss_error_n"`
	Outages                outages `json:"outages"`
	CRMRuns                outages `json:"crm_runs"`
}

// measurePlain computes the figures of a file with few errors.
func measurePlain(outcomes []outcome, known *facts, resamples int) plainFigures {
	f := plainFigures{
		Ranking:     named(rankBySuspicion(outcomes).bootstrap(resamples)),
		Calibration: calibrate(outcomes), Alerts: countAlerts(outcomes, known),
	}
	for i := range outcomes {
		if outcomes[i].suspect {
			f.Suspects++
		}
	}
	return f
}

// rankBySuspicion ranks by recoup's own probability.
func rankBySuspicion(outcomes []outcome) *ranking {
	return rankOutcomes(outcomes, func(i int) float64 { return outcomes[i].pError },
		func(i int) bool { return outcomes[i].suspect })
}

// measureDense computes the figures of a file with many errors.
func measureDense(outcomes []outcome, resamples int) *denseFigures {
	ranked := rankBySuspicion(outcomes).bootstrap(resamples)
	f := &denseFigures{
		Precision: ranked[precisionOfSuspects], Recall: ranked[recallOfSuspects], Money: ranked[underBillingCaught],
		Causes: recallBy(outcomes, causeOf), Kinds: recallBy(outcomes, kindOf), Sizes: recallBySize(outcomes),
		Confusion: confuse(outcomes, resamples),
		Outages:   countOutages(outcomes, outagePrefix), CRMRuns: countOutages(outcomes, crmPrefix),
	}
	f.LossError, f.LossErrorN = lossError(outcomes, true, resamples)
	f.SameCurrencyLossError, f.SameCurrencyLossErrorN = lossError(outcomes, false, resamples)
	return f
}
