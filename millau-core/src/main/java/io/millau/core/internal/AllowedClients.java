package io.millau.core.internal;

import io.millau.core.FilterRequest;
import io.millau.core.TrafficListener.LocalReason;
import io.millau.core.Verdict;
import java.net.InetAddress;

/** Lets requests pass whose clients have one of some addresses: {@code millau.allow}. Its text is for explanations. */
record AllowedClients(AddressRanges ranges) implements LabelFilter {

    @Override
    public Verdict filter(FilterRequest request) {
        InetAddress client = IpAddresses.parse(request.clientAddress());
        return client != null && ranges.contains(client)
                ? request.proceed()
                : request.respond(403, "Clients with this address may not use this service\n");
    }

    @Override
    public LocalReason reason() {
        return LocalReason.DENIED;
    }

    @Override
    public String toString() {
        return "clients other than " + ranges + " get 403";
    }
}
