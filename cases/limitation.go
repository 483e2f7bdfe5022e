package cases

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CustomerKind tells consumers from businesses: the law does.
type CustomerKind string

// The kinds of customers.
const (
	Consumer CustomerKind = "consumer" // a private person
	Business CustomerKind = "business" // anybody else
)

// CustomerKinds says which customer types of the invoices are which kind; whether
// letters are capital makes no difference. The law of a type that is in neither list
// is not known.
type CustomerKinds struct {
	Consumer []string // such as B2C
	Business []string // such as B2B
}

// Of returns the kind of a customer type, "" when it is not known.
func (k CustomerKinds) Of(customerType string) CustomerKind {
	is := func(listed string) bool { return strings.EqualFold(listed, customerType) }
	switch {
	case slices.ContainsFunc(k.Consumer, is):
		return Consumer
	case slices.ContainsFunc(k.Business, is):
		return Business
	}
	return ""
}

// Limitation is after how many years the claim on an invoice can no longer be
// brought, counted from its issue.
type Limitation struct {
	Consumer int    // years for a consumer's invoice
	Business int    // years for a business's
	Source   string // the law
}

// limitations are the periods by country, ISO 3166, counted from issue. Where a country
// has several, the shortest that its general law has for goods and services stands here;
// laws of single trades are shorter still. Where the law counts from a later day, such as
// the end of the year, the date shown is early; where it counts from delivery, as French
// courts do, an invoice that was issued late has less. It is no legal advice: each
// article was looked up in published copies of the law or of rulings, by no lawyer.
var limitations = map[string]Limitation{
	"AT": {3, 3, "ABGB § 1486 Z 1"},
	"BE": {1, 5, "Loi du 1er mai 1913 art. 5, Code civil (ancien) art. 2272 (goods to consumers), art. 2277 (recurring " +
		"services; others: 10 years, art. 2262bis)"},
	"CH": {5, 5, "OR Art. 128 (retail, crafts, recurring services; others: 10 years, Art. 127)"},
	"DE": {3, 3, "BGB §§ 195, 199 (from the end of the year)"},
	"ES": {3, 3, "Código Civil art. 1967.4 (goods to whoever does not trade in the same; others: 5 years, art. 1964.2)"},
	"FR": {2, 5, "Code de la consommation art. L218-2 (consumer); Code de commerce art. L110-4, Code civil art. 2224"},
	"GB": {5, 5, "Prescription and Limitation (Scotland) Act 1973 s. 6 " +
		"(England and Wales: 6 years, Limitation Act 1980 s. 5)"},
	"IE": {6, 6, "Statute of Limitations 1957 s. 11(1)(a)"},
	"IT": {1, 5, "Codice civile art. 2955 n. 5 (retail), art. 2948 n. 4 (recurring services; others: 10 years, " +
		"art. 2946)"},
	"NL": {2, 5, "BW art. 7:28 (goods to consumers), art. 3:307"},
	"PL": {2, 2, "Kodeks cywilny art. 554 (sale; others: 3 years, art. 118; both to the end of the year)"},
	"PT": {2, 5, "Código Civil art. 317 b) (consumer), art. 310 g) (recurring services; others: 20 years, art. 309)"},
}

// Limitations are the periods in force: those of the laws recoup knows, and over them
// what a seller's lawyers say.
type Limitations struct {
	said map[string]map[CustomerKind]int
}

// mostYears bounds what a setting may say.
const mostYears = 100

// ParseLimitations reads settings of the form "FR/consumer=2": country, kind of
// customer, years.
func ParseLimitations(list []string) (Limitations, error) {
	l := Limitations{said: map[string]map[CustomerKind]int{}}
	for _, text := range list {
		name, number, _ := strings.Cut(text, "=")
		country, kind, _ := strings.Cut(name, "/")
		years, err := strconv.Atoi(number)
		if err != nil || years < 1 || years > mostYears || !IsCountry(country) ||
			CustomerKind(kind) != Consumer && CustomerKind(kind) != Business {
			return Limitations{}, fmt.Errorf("cannot read limitation %q: want country/kind=years, such as "+
				"FR/consumer=2, with kind consumer or business and 1 to %d years", text, mostYears)
		}
		if l.said[country] == nil {
			l.said[country] = map[CustomerKind]int{}
		}
		l.said[country][CustomerKind(kind)] = years
	}
	return l, nil
}

// Years returns the years of a country and kind of customer, 0 when the law is not
// known. Of a kind that is not known it is the shorter of both.
func (l Limitations) Years(country string, kind CustomerKind) int {
	code := countryCode(country)
	of := func(kind CustomerKind) int {
		if years := l.said[code][kind]; years > 0 {
			return years
		}
		if kind == Consumer {
			return limitations[code].Consumer
		}
		return limitations[code].Business
	}
	consumer, business := of(Consumer), of(Business)
	switch {
	case kind != "":
		return of(kind)
	case consumer == 0 || business == 0: // a setting for one kind alone
		return max(consumer, business)
	}
	return min(consumer, business)
}

// Date returns the last day, as 2028-02-29, on which the money of an invoice can be
// claimed; "" when the law is not known.
func (l Limitations) Date(issued time.Time, country string, kind CustomerKind) string {
	years := l.Years(country, kind)
	if years == 0 {
		return ""
	}
	day := issued.UTC()
	last := day.AddDate(years, 0, 0)
	if last.Month() != day.Month() { // 29 February, of which that year has none
		last = last.AddDate(0, 0, -last.Day())
	}
	return last.Format(time.DateOnly)
}

// LimitationCountries returns the countries whose law is known, in order.
func LimitationCountries() []string { return slices.Sorted(maps.Keys(limitations)) }

// LimitationOf returns what is known of a country's law, by its code.
func LimitationOf(code string) Limitation { return limitations[code] }
