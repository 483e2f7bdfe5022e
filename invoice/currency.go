package invoice

import "strings"

// The active codes of ISO 4217 list one, published 2026-01-01 by SIX (the
// maintenance agency), by the number of decimals of their minor unit. Codes
// without one (gold, special drawing rights, testing) are left out: nobody is
// billed in them.
const (
	currencies0 = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
	currencies2 = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD " +
		"CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP " +
		"GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL " +
		"MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN " +
		"QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD " +
		"TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG"
	currencies3 = "BHD IQD JOD KWD LYD OMR TND"
	currencies4 = "CLF UYW"

	// Withdrawn since 2023 (ISO 4217 list three): invoices of those years may
	// still come in late or be replayed, and are not wrong for their age.
	currenciesWithdrawn2 = "ANG BGN CUC HRK SLL ZWL"
)

const letters = 26

// minorUnits holds 1 + the exponent of a code at its number in base 26; 0 means
// that the code is unknown.
var minorUnits = func() (table [letters * letters * letters]uint8) {
	for exponent, list := range map[uint8]string{
		0: currencies0, 2: currencies2 + " " + currenciesWithdrawn2, 3: currencies3, 4: currencies4,
	} {
		for code := range strings.FieldsSeq(list) {
			i, _ := currencyIndex(code)
			table[i] = 1 + exponent
		}
	}
	return table
}()

// Exponent returns the number of decimals of a currency's minor unit: 2 for
// EUR, 0 for JPY. ok is false when ISO 4217 does not list the code; codes are
// written in capitals.
func Exponent(code string) (decimals int, ok bool) {
	i, ok := currencyIndex(code)
	if !ok || minorUnits[i] == 0 {
		return 0, false
	}
	return int(minorUnits[i]) - 1, true
}

// Coin returns the smallest coin of a currency in 1/10,000 of its unit: 100 for
// EUR, 10,000 for JPY, at least 1. A currency that is not known has none to round
// to: 1.
func Coin(code string) Amount {
	i, ok := currencyIndex(code)
	if !ok {
		return 1
	}
	return coins[minorUnits[i]]
}

// coins are the smallest coins by what minorUnits holds.
var coins = [...]Amount{1, Unit, Unit / 10, Unit / 100, Unit / 1000, Unit / 10_000}

func currencyIndex(code string) (int, bool) {
	if len(code) != 3 {
		return 0, false
	}
	a, b, c := code[0]-'A', code[1]-'A', code[2]-'A'
	if a >= letters || b >= letters || c >= letters {
		return 0, false
	}
	return (int(a)*letters+int(b))*letters + int(c), true
}
