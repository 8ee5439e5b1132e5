/**
 * Shared by the modules of Millau, and not for others: it may change in any release. The module exports it only to
 * Millau's modules.
 *
 * <ul>
 *   <li>Labels: {@link io.millau.core.internal.Labels} defines each, {@link io.millau.core.internal.Vocabulary} derives
 *       help, documentation and schema from the definitions, and {@link io.millau.core.internal.LabelReader} reads labels for
 *       sources.
 *   <li>Helpers of sources and of logging: {@link io.millau.core.internal.SourceStats}, {@link
 *       io.millau.core.internal.LogText}, {@link io.millau.core.internal.Words}.
 *   <li>Keys and certificates as text: {@link io.millau.core.internal.Pem}, {@link io.millau.core.internal.Der}.
 * </ul>
 *
 * <p>It depends on the API, {@link io.millau.core}. Only these parts of the API depend on it: {@link
 * io.millau.core.Service}, whose settings the labels describe; the file source behind {@link
 * io.millau.core.ServiceSource#file}, which reads labels; certificates and their folder, which read PEM; and log lines
 * and messages, for their text.
 */
@NullMarked
package io.millau.core.internal;

import org.jspecify.annotations.NullMarked;
