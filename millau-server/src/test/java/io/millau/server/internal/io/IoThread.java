package io.millau.server.internal.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.Xnio;
import org.xnio.XnioIoThread;
import org.xnio.XnioWorker;

/** An I/O thread for each test. */
final class IoThread implements BeforeEachCallback, AfterEachCallback {

    private XnioWorker worker;

    @Override
    public void beforeEach(ExtensionContext context) throws Exception {
        worker = Xnio.getInstance().createWorker(OptionMap.create(Options.WORKER_IO_THREADS, 1));
    }

    XnioIoThread get() {
        return worker.getIoThread();
    }

    @Override
    public void afterEach(ExtensionContext context) throws Exception {
        worker.shutdownNow();
        assertThat(worker.awaitTermination(60, TimeUnit.SECONDS)).isTrue();
    }
}
