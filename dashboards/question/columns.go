package question

import "slices"

// The columns of answers, in short.

func label(name, en, fr string) Column {
	return Column{Name: name, Kind: Label, Title: Text{en, fr}}
}

func instant(name, en, fr string) Column {
	return Column{Name: name, Kind: Time, Title: Text{en, fr}}
}

// date is an instant of which only the day counts.
func date(name, en, fr string) Column {
	return Column{Name: name, Kind: Time, Unit: "time:YYYY-MM-DD", Title: Text{en, fr}}
}

func number(name, unit, en, fr string) Column {
	return Column{Name: name, Kind: Number, Unit: unit, Title: Text{en, fr}}
}

// A share is a fraction of 1, a count a whole number, money an amount in the
// currency that the question was asked for.
func share(name, en, fr string) Column { return number(name, "percentunit", en, fr) }
func count(name, en, fr string) Column { return number(name, "short", en, fr) }
func money(name, en, fr string) Column { return number(name, "none", en, fr) }

// low and high are the two ends of the band around the number before them.
func low(name, unit string) Column {
	return Column{Name: name, Kind: Number, Unit: unit, Title: Text{"95 % low", "95 % bas"}, Low: true}
}

func high(name, unit string) Column {
	return Column{Name: name, Kind: Number, Unit: unit, Title: Text{"95 % high", "95 % haut"}, High: true}
}

// reference is a constant to compare with.
func reference(name, unit, en, fr string) Column {
	return Column{Name: name, Kind: Number, Unit: unit, Title: Text{en, fr}, Reference: true}
}

// Columns that many answers have.
var (
	day           = instant("time", "Day of issue", "Jour d'émission")
	cause         = label("cause", "Cause", "Cause")
	customerType  = label("customer_type", "Customer type", "Type de client")
	productFamily = label("product_family", "Product family", "Famille de produits")
	direction     = label("direction", "Direction", "Sens")
	severity      = label("severity", "Severity", "Gravité")
	state         = label("state", "State", "État")
	team          = label("team", "Team", "Équipe")
	option        = label("option", "Option", "Option")
	probability   = share("p_error", "Probability of an error", "Probabilité d'erreur")
	answer        = label("answer", "Answer", "Réponse")
)

// unbounded are percentages below 0 or above 1.
var unbounded = []string{"cv", "deviation", "discount_rate", "uplift"}

// IsShare tells a part of a whole, 0 to 1, from other percentages.
func (c *Column) IsShare() bool {
	return c.Unit == "percentunit" && !slices.Contains(unbounded, c.Name)
}
