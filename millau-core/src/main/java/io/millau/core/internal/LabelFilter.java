package io.millau.core.internal;

import io.millau.core.RequestFilter;
import io.millau.core.TrafficListener.LocalReason;

/** A filter that a label makes. */
public interface LabelFilter extends RequestFilter {

    /** Why it responds to requests, if it does. */
    LocalReason reason();
}
