/** A small application that tells what it was asked and which instance answered. */
@NullMarked
package io.millau.examples.echo;

import org.jspecify.annotations.NullMarked;
