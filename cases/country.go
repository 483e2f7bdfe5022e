package cases

import "strings"

// countryNames are codes of ISO 3166 by the names invoices use for them, in small
// letters: English, French, and their own.
var countryNames = map[string]string{
	"austria": "AT", "autriche": "AT", "österreich": "AT",
	"belgium": "BE", "belgique": "BE", "belgië": "BE",
	"switzerland": "CH", "suisse": "CH", "schweiz": "CH",
	"germany": "DE", "allemagne": "DE", "deutschland": "DE",
	"spain": "ES", "espagne": "ES", "españa": "ES",
	"france": "FR", "france métropolitaine": "FR",
	"united kingdom": "GB", "great britain": "GB", "royaume-uni": "GB", "uk": "GB",
	"ireland": "IE", "irlande": "IE", "eire": "IE",
	"italy": "IT", "italie": "IT", "italia": "IT",
	"luxembourg":  "LU",
	"monaco":      "MC",
	"netherlands": "NL", "pays-bas": "NL", "nederland": "NL",
	"poland": "PL", "pologne": "PL", "polska": "PL",
	"portugal": "PT",
}

// countryCode returns the code of a country as invoices write it; what is not known
// comes back as it is.
func countryCode(country string) string {
	name := strings.ToLower(strings.TrimSpace(country))
	if code, ok := countryNames[name]; ok {
		return code
	}
	return strings.ToUpper(name)
}

// IsCountry tells the form of a country code of ISO 3166: two capital letters.
func IsCountry(s string) bool {
	return len(s) == 2 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z'
}
