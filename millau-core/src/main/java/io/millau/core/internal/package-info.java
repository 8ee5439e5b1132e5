/**
 * What the modules of Millau share and nobody else should use: it may change in any release. The module exports it to its
 * siblings alone.
 *
 * <ul>
 *   <li>The labels: {@link io.millau.core.internal.Labels} describes each once, {@link
 *       io.millau.core.internal.Vocabulary} makes of the descriptions what follows from them, and {@link
 *       io.millau.core.internal.LabelReader} reads them for sources.
 *   <li>What sources and sinks have in common: {@link io.millau.core.internal.SourceStats}, {@link
 *       io.millau.core.internal.LogText}, {@link io.millau.core.internal.Words}.
 *   <li>Keys and certificates as text: {@link io.millau.core.internal.Pem}, {@link io.millau.core.internal.Der}.
 * </ul>
 *
 * <p>It builds on the API, {@link io.millau.core}. Of the API only these reach back: {@link io.millau.core.Service}, whose
 * settings the labels describe; the file source behind {@link io.millau.core.ServiceSource#file}, which reads labels;
 * certificates and their folder, which read PEM; and log lines and messages, for their text.
 */
@NullMarked
package io.millau.core.internal;

import org.jspecify.annotations.NullMarked;
