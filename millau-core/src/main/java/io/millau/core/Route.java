package io.millau.core;

/** A host and a path that services have in common: what they share requests of. */
record Route(String host, String path) {}
