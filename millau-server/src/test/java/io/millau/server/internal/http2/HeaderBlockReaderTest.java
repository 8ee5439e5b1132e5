package io.millau.server.internal.http2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import io.millau.server.internal.http2.Http2.ConnectionException;
import io.undertow.util.HttpString;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HeaderBlockReaderTest {

    private static final String TABLE_OF_256_BYTES = "3fe101";
    private static final String COOKIE = "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";

    private final List<String> fields = new ArrayList<>();
    private final List<HttpString> names = new ArrayList<>();
    private final HeaderBlockReader reader = new HeaderBlockReader((name, value) -> {
        names.add(name);
        fields.add(name + ": " + value);
    });

    private List<String> read(String hex) throws ConnectionException {
        fields.clear();
        ByteBuffer block = ByteBuffer.wrap(HexFormat.of().parseHex(hex.replace(" ", "")));
        reader.read(block);
        assertThat(block.hasRemaining()).isFalse();
        return List.copyOf(fields);
    }

    private static String literal(String name, String value) {
        return string(name) + string(value);
    }

    /** A string without Huffman coding, of less than 16,384 + 127 bytes. */
    private static String string(String text) {
        int length = text.length();
        String size = length < 127
                ? String.format("%02x", length)
                : String.format("7f%02x%02x", length - 127 & 127 | 128, length - 127 >> 7);
        return size + HexFormat.of().formatHex(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** RFC 7541, C.2. */
    @Test
    void singleFields() throws Exception {
        assertThat(read("400a637573746f6d2d6b65790d637573746f6d2d686561646572"))
                .containsExactly("custom-key: custom-header");
        assertThat(read("040c2f73616d706c652f70617468")).containsExactly(":path: /sample/path");
        assertThat(read("100870617373776f726406736563726574")).containsExactly("password: secret");
        assertThat(read("82")).containsExactly(":method: GET");
        assertThat(read("be")).as("only the first one was added").containsExactly("custom-key: custom-header");
    }

    /** RFC 7541, C.3 and C.4. */
    @ParameterizedTest
    @CsvSource({
        "828684410f7777772e6578616d706c652e636f6d, 828684be58086e6f2d6361636865,"
                + "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
        "828684418cf1e3c2e5f23a6ba0ab90f4ff, 828684be5886a8eb10649cbf,"
                + "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf"
    })
    void requests(String first, String second, String third) throws Exception {
        assertThat(read(first))
                .containsExactly(":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com");
        assertThat(read(second))
                .containsExactly(
                        ":method: GET",
                        ":scheme: http",
                        ":path: /",
                        ":authority: www.example.com",
                        "cache-control: no-cache");
        assertThat(read(third))
                .containsExactly(
                        ":method: GET",
                        ":scheme: https",
                        ":path: /index.html",
                        ":authority: www.example.com",
                        "custom-key: custom-value");
    }

    /** RFC 7541, C.5 and C.6: the table has room for four of these fields, so that older ones are evicted. */
    @ParameterizedTest
    @CsvSource({
        "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54"
                + "6e1768747470733a2f2f7777772e6578616d706c652e636f6d, 4803333037c1c0bf,"
                + "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d"
                + "4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31",
        "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3,"
                + "4883640effc1c0bf,"
                + "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960"
                + "d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007"
    })
    void responses(String first, String second, String third) throws Exception {
        assertThat(read(TABLE_OF_256_BYTES + first))
                .containsExactly(
                        ":status: 302",
                        "cache-control: private",
                        "date: Mon, 21 Oct 2013 20:13:21 GMT",
                        "location: https://www.example.com");
        assertThat(read(second))
                .containsExactly(
                        ":status: 307",
                        "cache-control: private",
                        "date: Mon, 21 Oct 2013 20:13:21 GMT",
                        "location: https://www.example.com");
        assertThat(read(third))
                .containsExactly(
                        ":status: 200",
                        "cache-control: private",
                        "date: Mon, 21 Oct 2013 20:13:22 GMT",
                        "location: https://www.example.com",
                        "content-encoding: gzip",
                        COOKIE);
    }

    @ParameterizedTest
    @CsvSource({
        "80, index 0 (expected one from 1 to 61)",
        "be, index 62 (expected one from 1 to 61)",
        "7e00, index 62 (expected one from 1 to 61)",
        "3fe21f, table of 4097 bytes (expected 4096 at most)",
        "8220, size of the table after a field (expected at the beginning)",
        "ff80808080, integer of more than 28 bits",
        "007fffffffff0f, integer of more than 28 bits",
        "00847fffffff00, Huffman code with EOS or wrong padding",
        "0084ffffffff00, Huffman code with EOS or wrong padding",
        "00810000, Huffman code with EOS or wrong padding",
        "008207ff00, Huffman code with EOS or wrong padding",
        "0005787878, string of 5 bytes (expected 3 at most)",
        "00, end in the middle of a field",
        "000178, end in the middle of a field",
        "7f, end in the middle of a field",
        "3f, end in the middle of a field"
    })
    void aBlockThatCannotBeRead(String block, String problem) {
        assertThatThrownBy(() -> read(block))
                .isInstanceOfSatisfying(
                        ConnectionException.class, e -> assertThat(e.code).isEqualTo(Http2.COMPRESSION_ERROR))
                .hasMessage("header block that can't be read: " + problem);
    }

    /** What Undertow's decoder could not read ended the connection, with the requests of others behind the same proxy. */
    @Test
    void namesAreNotChecked() throws Exception {
        assertThat(read("00" + literal("", "a"))).containsExactly(": a");
        assertThat(read("00" + literal("X", "a"))).containsExactly("X: a");
        assertThat(read("40" + literal("x\r\ny", "a\r\n"))).containsExactly("x\0\0y: a\r\n");
        assertThat(read("be")).containsExactly("x\0\0y: a\r\n");
        assertThat(read("00" + literal("x", "gr\u00fcn"))).containsExactly("x: gr\u00fcn");
    }

    @Test
    void namesSeenBeforeAreShared() throws Exception {
        read("00" + literal("x-mine", "a") + "00" + literal("x-mine", "b"));
        assertThat(names.get(0)).isSameAs(names.get(1));
    }

    @Test
    void theTableHasAtMost4096Bytes() throws Exception {
        read("3fe11f40" + literal("a", "a".repeat(2015)) + "40" + literal("b", "b".repeat(2015)));
        assertThat(read("bf")).as("2,048 bytes each").containsExactly("a: " + "a".repeat(2015));
        read("40" + literal("c", ""));
        assertThat(read("bf")).containsExactly("b: " + "b".repeat(2015));
        assertThatThrownBy(() -> read("c0")).hasMessageContaining("index 64");
    }

    @Test
    void aFieldLargerThanTheTableEmptiesIt() throws Exception {
        read("40" + literal("a", "a") + "40" + literal("b", "b".repeat(4064)));
        assertThatThrownBy(() -> read("be")).hasMessageContaining("index 62");
    }

    @Test
    void aTableCanBeMadeSmallerAndLargerAgain() throws Exception {
        read("40" + literal("a", "a"));
        read("203fe11f");
        assertThatThrownBy(() -> read("be")).hasMessageContaining("index 62");
        for (int i = 0; i < 300; i++) {
            read("40" + literal("", ""));
        }
        assertThat(read("ff3e")).as("128 fields of 32 bytes").containsExactly(": ");
        assertThatThrownBy(() -> read("ff3f")).hasMessageContaining("index 190 (expected one from 1 to 189)");
    }

    /** A byte each can stand for 4 kB. */
    @Test
    void referencesTakeNoMemory() throws Exception {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long[] read = new long[1];
        HeaderBlockReader counting = new HeaderBlockReader((name, value) -> read[0] += value.length());
        counting.read(ByteBuffer.wrap(HexFormat.of().parseHex("40" + literal("a", "a".repeat(4000)))));
        ByteBuffer block = ByteBuffer.wrap(HexFormat.of().parseHex("be".repeat(16_000)));
        long before = threads.getCurrentThreadAllocatedBytes();
        counting.read(block);
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        assertThat(read[0]).isEqualTo(16_001 * 4000L);
        assertThat(allocated).isLessThan(16_000);
    }
}
