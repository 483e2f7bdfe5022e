package dashboards

import (
	"strings"
	"testing"

	"recoup/dashboards/question"
)

// set is what a panel sets of the fields that a matcher names, in order.
func set(p *panel, by, options string) (all []property) {
	for _, o := range p.FieldConfig.Overrides {
		if o.Matcher == (matcher{by, options}) {
			all = append(all, o.Properties...)
		}
	}
	return all
}

// value returns what a property is set to, nil if it is not.
func value(all []property, id string) any {
	for _, p := range all {
		if p.ID == id {
			return p.Value
		}
	}
	return nil
}

// draw draws one answer on a board with all usual filters.
func draw(t *testing.T, lang question.Lang, p Panel) *panel {
	t.Helper()
	drawn, err := renderer{Recoup, lang}.panel(&p, usualFilters)
	if err != nil {
		t.Fatal(err)
	}
	return drawn
}

// Series are named after codes, which a person reads in words.
func TestSeriesAreNamedInWords(t *testing.T) {
	drawn := draw(t, question.French, Panel{Ask: "causes_by_day", View: Bars})
	if got := value(set(drawn, "byRegexp", "/(^| )billing_system$/"), "displayName"); got != "Système de facturation" {
		t.Errorf("billing_system is called %v", got)
	}
}

// Columns that come of values are called after them, not all after their numbers.
func TestMatrixColumnsAreNamedAfterValues(t *testing.T) {
	for _, p := range []Panel{{Ask: "confusion", View: Matrix}, {Ask: "funnel", View: Funnel}} {
		drawn := draw(t, question.English, p)
		if first := drawn.FieldConfig.Overrides[0]; first.Matcher != (matcher{"byRegexp", "/.*/"}) ||
			value(first.Properties, "displayName") != "${__field.name}" {
			t.Errorf("%s: first override is %+v", p.Ask, first)
		}
	}
}

// A claim is no figure of ours: it has no colour of good or bad.
func TestReferencesAreGrey(t *testing.T) {
	drawn := draw(t, question.English, Panel{Ask: "customers_touched", View: Stat, Steps: below(0.1, 0.25)})
	if value(set(drawn, "byName", "claim"), "color") == nil || value(set(drawn, "byName", "part"), "color") != nil {
		t.Errorf("want a fixed colour for the claim alone: %+v", drawn.FieldConfig.Overrides)
	}
}

// Money has its currency and thousands apart; a rate the places in which rates differ.
func TestNumbersAreReadable(t *testing.T) {
	drawn := draw(t, question.English, Panel{Ask: "loss", View: Grid})
	lost := set(drawn, "byName", "confirmed_loss")
	if value(lost, "unit") != "locale" || value(lost, "displayName") != "Confirmed loss (${currency})" {
		t.Errorf("money is drawn as %+v", lost)
	}
	drawn = draw(t, question.English, Panel{Ask: "error_rate", View: Lines})
	for _, name := range []string{"confirmed_rate", "confirmed_rate_low"} {
		if got := value(set(drawn, "byName", name), "decimals"); got != 2 {
			t.Errorf("%s has %v places", name, got)
		}
	}
}

// A bar from 0 to 1 shows no percentage that goes beyond.
func TestOnlySharesAreBars(t *testing.T) {
	drawn := draw(t, question.English, Panel{Ask: "recoveries", View: Grid})
	if value(set(drawn, "byName", "uplift"), "max") != nil || value(set(drawn, "byName", "acceptance"), "max") != 1 {
		t.Errorf("want a bar for acceptance and none for uplift: %+v", drawn.FieldConfig.Overrides)
	}
}

// A filter of the board that an answer does not follow is told.
func TestFiltersNotTakenAreTold(t *testing.T) {
	if help := draw(t, question.English, Panel{Ask: "error_rate", View: Lines}).Description; !strings.HasSuffix(help,
		"\n\nNot narrowed by: Currency, Cause.") {
		t.Errorf("error_rate says %q", help)
	}
	help := draw(t, question.English, Panel{Ask: "invoice", View: Grid}).Description
	if strings.Contains(help, "narrowed") {
		t.Errorf("invoice says %q", help)
	}
}
