package io.millau.server.internal.http;

import io.undertow.util.HeaderMap;
import java.io.IOException;
import java.nio.ByteBuffer;

/** The trailers of a chunked response. */
public final class ResponseTrailers implements ChunkDecoder.Message {

    private final ResponseHead reader;
    private final HeaderMap fields = new HeaderMap();

    /** @param reader is free when the body has been read */
    public ResponseTrailers(ResponseHead reader) {
        this.reader = reader;
    }

    /** Empty until all of the body was read. */
    public HeaderMap fields() {
        return fields;
    }

    @Override
    public boolean readTrailers(ByteBuffer buffer) throws IOException {
        return reader.readTrailers(buffer, fields);
    }

    @Override
    public IOException malformed(String reason) {
        return new MalformedResponseException(reason);
    }
}
