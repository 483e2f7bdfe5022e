package cases

// AllWords are the sentences, for tests that read them all.
var AllWords = words

// NoRepair is what is said where no single change repairs an invoice.
var NoRepair = noRepair
