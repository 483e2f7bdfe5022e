// Package message drafts what a person may write or say to the customer of a case:
// in French and English, for e-mail, phone and chat. recoup never sends anything.
//
// A draft has the seven parts of a good answer (thanks, admission, apology, plain
// explanation, solution, guarantee, right to ask) and follows the six steps of
// listening, restating, sympathising, thanking, evaluating and proposing. It blames
// nobody but the seller and presses nobody. The texts are files of this package; a
// folder of a user's own files replaces any of them, after the same checks.
package message

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"recoup/invoice"
)

// Languages and channels there are templates for.
const (
	French  = "fr"
	English = "en"

	Email = "email" // written, sent by a person
	Phone = "phone" // a script to speak by
	Chat  = "chat"  // short
)

// Subjects of templates: what happened to the customer.
const (
	Undercharge = "undercharge" // billed too little
	Overcharge  = "overcharge"  // billed too much
)

var (
	languages = []string{French, English}
	channels  = []string{Email, Phone, Chat}
	subjects  = []string{Undercharge, Overcharge}
)

// Draft is draft_message of case.v1.
type Draft struct {
	Lang     string `json:"lang"`     // fr or en
	Channel  string `json:"channel"`  // email, phone or chat
	Template string `json:"template"` // such as fr/undercharge.email
	Body     string `json:"body"`     // the text; a person checks and sends it
	// Objections are prepared answers to what customers usually reply, never null.
	Objections []Answer `json:"objections"`
}

// Answer is a prepared answer to an objection.
type Answer struct {
	Objection string `json:"objection"` // what the customer says
	Answer    string `json:"answer"`    // what may be said to it
}

// Facts are what a draft is about. Amounts are what the customer pays.
type Facts struct {
	Lang    string // fr or en
	Channel string // email, phone or chat
	Subject string // undercharge or overcharge

	Invoice  string         // number that the customer reads
	Order    string         // the order; "": not known
	IssuedAt time.Time      // of the invoice
	Billed   invoice.Amount // what the invoice asks for
	Correct  invoice.Amount // what it should have asked for
	Due      invoice.Amount // the difference, above 0
	Currency string         // of all amounts
	// Confirmed: a person has confirmed the amounts, or the invoice's own numbers show
	// them. Others are marked in the draft, to be confirmed before it is used.
	Confirmed bool
	// Verified: a person has checked the facts; Decided: a person has decided that it is
	// an error. What a draft says of checks and steps taken is marked until then.
	Verified, Decided bool
	What              string   // what was found, in the language; "": nothing that a customer would understand
	Options           []Option // ways to settle, best first
}

// Option is a way to settle that the draft offers, in the order to be offered.
type Option struct {
	Name     string           // of recovery.v1, such as instalments
	Amount   invoice.Amount   // what the customer would pay
	Schedule []invoice.Amount // instalments
	Cost     invoice.Amount   // of a gesture
}

// LanguageOf returns the language for a country of ISO 3166: French where most
// customers read it, else English.
func LanguageOf(country string) string {
	if slices.Contains([]string{"FR", "MC", "LU", "BE", "GP", "MQ", "GF", "RE", "YT"}, country) {
		return French
	}
	return English
}

// words are what templates may write: every name a template uses is a method or
// field here, and nothing here names a person.
type words struct {
	facts *Facts
	// Options are the ways to settle, in sentences.
	Options []string
}

// Invoice is its number.
func (w words) Invoice() string { return w.facts.Invoice }

// Order is the order's number, or "".
func (w words) Order() string { return w.facts.Order }

// What is what was found, or "".
func (w words) What() string { return w.facts.What }

// Date is the day of issue.
func (w words) Date() string {
	day := w.facts.IssuedAt.UTC()
	if w.facts.Lang == French {
		return frenchDay(day)
	}
	return day.Format("2 January 2006")
}

// Billed is what the invoice asks for.
func (w words) Billed() string { return w.facts.money(w.facts.Billed) }

// Correct is what it should have asked for.
func (w words) Correct() string { return w.facts.money(w.facts.Correct) + w.facts.mark() }

// NothingDue tells that the invoice should not be there, such as a duplicate.
func (w words) NothingDue() bool { return w.facts.Correct == 0 }

// Unconfirmed stands behind what the text says of amounts that nobody has confirmed.
func (w words) Unconfirmed() string { return w.facts.mark() }

// Due is the difference.
func (w words) Due() string { return w.facts.money(w.facts.Due) + w.facts.mark() }

// money writes an amount as the language does: 1,234.56 EUR, 1 234,56 EUR.
func (f *Facts) money(a invoice.Amount) string {
	group, point, space := ",", ".", " "
	if f.Lang == French {
		group, point, space = noBreak, ",", noBreak
	}
	units, cents, _ := strings.Cut(a.String(), ".")
	for at := len(units) - 3; at > 0 && units[at-1] != '-'; at -= 3 {
		units = units[:at] + group + units[at:]
	}
	return units + point + cents + space + f.Currency
}

// mark stands behind an amount that a person has to confirm first.
func (f *Facts) mark() string { return f.note(f.Confirmed, "à confirmer", "to be confirmed") }

// Unverified stands behind what the text says was checked, as long as nobody has.
func (w words) Unverified() string {
	return w.facts.note(w.facts.Verified, "à vérifier d'abord", "to be checked first")
}

// Undecided stands behind what the text says is done, as long as nobody has decided it.
func (w words) Undecided() string {
	return w.facts.note(w.facts.Decided, "à décider d'abord", "to be decided first")
}

// note is a mark in the language for whoever sends the text, none when it is true.
func (f *Facts) note(isTrue bool, french, english string) string {
	switch {
	case isTrue:
		return ""
	case f.Lang == French:
		return " [" + french + "]"
	}
	return " [" + english + "]"
}

// offer is what the sentence of an option may write.
type offer struct {
	facts  *Facts
	option *Option
}

// Amount is what the customer would pay.
func (o offer) Amount() string { return o.facts.money(o.option.Amount) + o.facts.mark() }

// Cost is what the gesture is worth.
func (o offer) Cost() string { return o.facts.money(o.option.Cost) }

// Count is how many instalments there are.
func (o offer) Count() int { return len(o.option.Schedule) }

// Schedule lists the instalments.
func (o offer) Schedule() string {
	var parts []string
	for _, part := range o.option.Schedule {
		parts = append(parts, o.facts.money(part))
	}
	return strings.Join(parts, " + ")
}

// check says what of the facts no template can be chosen or filled by.
func (f *Facts) check() error {
	switch {
	case !slices.Contains(languages, f.Lang):
		return fmt.Errorf("cannot draft a message in language %q: want one of %q", f.Lang, languages)
	case !slices.Contains(channels, f.Channel):
		return fmt.Errorf("cannot draft a message for channel %q: want one of %q", f.Channel, channels)
	case !slices.Contains(subjects, f.Subject):
		return fmt.Errorf("cannot draft a message about %q: want one of %q", f.Subject, subjects)
	}
	return nil
}
