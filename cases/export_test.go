package cases

// Words are the sentences, for tests that read them all.
var Words = words
