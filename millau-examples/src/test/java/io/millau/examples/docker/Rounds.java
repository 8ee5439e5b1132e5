package io.millau.examples.docker;

/** How often a scenario is played: once in an ordinary build, many times in a nightly one ({@code -Dmillau.rounds=10}). */
final class Rounds {

    static final int NUMBER = Integer.getInteger("millau.rounds", 1);

    private Rounds() {}
}
