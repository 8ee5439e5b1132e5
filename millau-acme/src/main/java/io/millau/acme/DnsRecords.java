package io.millau.acme;

import java.io.IOException;

/** Publishes the responses to DNS challenges (RFC 8555, 8.4). Safe for use by several threads. Blocks. */
interface DnsRecords {

    /** The label before a name, under which its TXT records are. */
    String LABEL = "_acme-challenge.";

    /**
     * Publishes a TXT record for a name, beside others that it may have; the result withdraws it.
     *
     * @param name in lower case, without the asterisk of a wildcard
     * @throws OrderException if that is not possible
     */
    Challenges.Response publish(String name, String digest, Deadline deadline)
            throws IOException, OrderException, InterruptedException;

    /** What the operator should check if the CA does not find the record. */
    String question(String name);
}
