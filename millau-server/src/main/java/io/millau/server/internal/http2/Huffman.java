package io.millau.server.internal.http2;

import java.util.Arrays;

/** Decodes strings with the Huffman code of header blocks (RFC 7541, 5.2 and appendix B), four bits at a time. */
final class Huffman {

    /**
     * How many bits the code of each byte has, and at last that of EOS. The code is canonical: codes of one length count up, in
     * the order of the bytes, and a longer one continues after the last shorter one.
     */
    private static final int[] LENGTHS = {
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
        28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
        6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
        5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
        13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
        7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
        15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
        6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
        20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
        24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
        22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
        21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
        26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
        19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
        20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
        26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
        30
    };

    private static final int EOS = 256;

    /** The shortest code. */
    private static final int MIN_BITS = 5;

    /** Padding is shorter than a byte. */
    private static final int MAX_PADDING_BITS = 7;

    private static final int STATES = 256;
    private static final int STATE = 0xff;
    private static final int BYTE_SHIFT = 8;
    private static final int HAS_BYTE = 1 << 16;
    private static final int MALFORMED = 1 << 17;

    /** For each state, an inner node of the code's tree, and the next four bits: the next state, and the byte that ended. */
    private static final int[] STEPS = new int[STATES * 16];

    /** Whether a string may end in a state: the bits since the last byte are padding, the first ones of EOS. */
    private static final boolean[] MAY_END = new boolean[STATES];

    static {
        int[][] tree = tree();
        for (int state = 0; state < STATES; state++) {
            for (int bits = 0; bits < 16; bits++) {
                STEPS[state * 16 + bits] = step(tree, state, bits);
            }
        }
        int state = 0;
        for (int bits = 0; bits <= MAX_PADDING_BITS; bits++) {
            MAY_END[state] = true;
            state = tree[state][1];
        }
    }

    private Huffman() {}

    /** Both children of each inner node: the number of an inner node, or a byte as its complement. */
    private static int[][] tree() {
        int[][] tree = new int[STATES][2];
        int nodes = 1;
        int code = 0;
        int longest = Arrays.stream(LENGTHS).max().orElseThrow();
        for (int length = 1; length <= longest; length++, code <<= 1) {
            for (int symbol = 0; symbol < LENGTHS.length; symbol++) {
                if (LENGTHS[symbol] != length) {
                    continue;
                }
                int node = 0;
                for (int bit = length - 1; bit > 0; bit--) {
                    int side = code >> bit & 1;
                    if (tree[node][side] == 0) {
                        tree[node][side] = nodes++;
                    }
                    node = tree[node][side];
                }
                tree[node][code & 1] = ~symbol;
                code++;
            }
        }
        return tree;
    }

    private static int step(int[][] tree, int state, int bits) {
        int node = state;
        int ended = 0;
        for (int bit = 3; bit >= 0; bit--) {
            node = tree[node][bits >> bit & 1];
            if (node == ~EOS) {
                return MALFORMED;
            }
            if (node < 0) {
                ended = HAS_BYTE | ~node << BYTE_SHIFT;
                node = 0;
            }
        }
        return node | ended;
    }

    /** How many bytes a string of so many bytes can have at most when it is decoded. */
    static int mostBytes(int encoded) {
        return (int) (encoded * 8L / MIN_BITS);
    }

    /**
     * Decodes a string.
     *
     * @param to has room for {@link #mostBytes}
     * @return the length of the decoded string; -1 if it has EOS or wrong padding
     */
    static int decode(byte[] from, int start, int end, byte[] to) {
        int state = 0;
        int length = 0;
        for (int i = start; i < end; i++) {
            int first = STEPS[state << 4 | from[i] >> 4 & 15];
            if ((first & HAS_BYTE) != 0) {
                to[length++] = (byte) (first >> BYTE_SHIFT);
            }
            int second = STEPS[(first & STATE) << 4 | from[i] & 15];
            if ((second & HAS_BYTE) != 0) {
                to[length++] = (byte) (second >> BYTE_SHIFT);
            }
            if (((first | second) & MALFORMED) != 0) {
                return -1;
            }
            state = second & STATE;
        }
        return MAY_END[state] ? length : -1;
    }
}
