package io.millau.docker;

/**
 * One address of a task or container. Immutable.
 *
 * @param network the network's name
 * @param subnet the address, with its network's prefix
 */
record Attachment(String network, Subnet subnet) {}
