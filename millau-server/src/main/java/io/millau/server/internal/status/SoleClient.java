package io.millau.server.internal.status;

import io.millau.core.TrafficListener;
import io.millau.core.internal.AddressRanges;
import io.millau.core.internal.IpAddresses;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * Notices that all requests come from one private address: that of a load balancer or of Swarm's routing mesh, which hides the
 * clients. Safe for use by several threads.
 */
final class SoleClient implements TrafficListener {

    private static final AddressRanges PRIVATE = AddressRanges.parse("private");

    /** A person who tries the proxy sends fewer requests. */
    private static final int ENOUGH = 100;

    private volatile @Nullable String first;
    private volatile boolean several;

    /** Not exact, since requests of several threads may be counted as one. */
    private int requests;

    @Override
    public void requestEnded(Ended request) {
        if (several) {
            return;
        }
        String client = request.request().address();
        String known = first;
        if (known == null) {
            first = client;
        } else if (!known.equals(client)) {
            several = true;
        }
        requests++;
    }

    /** The address; null as long as there were few requests, and for ever after a second one was seen, or a public one. */
    @Nullable
    String address() {
        String only = first;
        if (several || only == null || requests < ENOUGH) {
            return null;
        }
        InetAddress address = IpAddresses.parse(only);
        return address != null && PRIVATE.contains(address) ? only : null;
    }
}
