package io.millau.core.internal;

import java.util.Collection;
import java.util.HashSet;
import java.util.Set;

/**
 * Which service a key of a services file belongs to. Names of services and of labels may have dots, so those with endpoints are
 * looked for first. Immutable.
 */
public final class ServiceKeys {

    private static final String ENDPOINTS = "." + Labels.ENDPOINTS.name();

    private final Set<String> withEndpoints = new HashSet<>();
    private int longest;

    /** @param keys all of the file */
    public ServiceKeys(Collection<String> keys) {
        for (String key : keys) {
            if (key.endsWith(ENDPOINTS)) {
                String service = key.substring(0, key.length() - ENDPOINTS.length());
                withEndpoints.add(service);
                longest = Math.max(longest, service.length());
            }
        }
    }

    /** The service's name; empty if there is none before the dot. */
    public String serviceOf(String key) {
        int last = key.lastIndexOf('.');
        if (last < 0) {
            return key;
        }
        for (int dot = key.lastIndexOf('.', longest); dot > 0; dot = key.lastIndexOf('.', dot - 1)) {
            String service = key.substring(0, dot);
            if (withEndpoints.contains(service)) {
                return service;
            }
        }
        int family = Labels.ALL.familyIn(key);
        return key.substring(0, family < 0 ? last : family);
    }
}
