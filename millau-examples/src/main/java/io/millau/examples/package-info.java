/** What one can do with Millau, each of it run by a test. */
@NullMarked
package io.millau.examples;

import org.jspecify.annotations.NullMarked;
