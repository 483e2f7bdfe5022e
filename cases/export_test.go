package cases

// AllWords are the sentences, for tests that read them all.
var AllWords = words
