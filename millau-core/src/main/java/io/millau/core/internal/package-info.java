/** What the modules of Millau share and nobody else should use: it may change in any release. */
@NullMarked
package io.millau.core.internal;

import org.jspecify.annotations.NullMarked;
