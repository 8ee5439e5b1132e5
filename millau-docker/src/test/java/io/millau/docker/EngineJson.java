package io.millau.docker;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** JSON as an engine sends it, reduced to the fields that Millau reads. */
final class EngineJson {

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private EngineJson() {}

    static Json json(String json) {
        try {
            return Json.read(new ByteArrayInputStream(json.getBytes(StandardCharsets.UTF_8)));
        } catch (IOException e) {
            throw new AssertionError(json, e);
        }
    }

    private static String text(Object value) {
        return JSON.valueToTree(value).toString();
    }

    static String service(String id, int version, int replicas, Map<String, String> labels) {
        return """
                {"ID":"%s","Version":{"Index":%d},"Spec":{"Name":"%s","Labels":%s,
                 "TaskTemplate":{"ContainerSpec":{"Image":"x"}},"Mode":{"Replicated":{"Replicas":%d}}}}""".formatted(id, version, id, text(labels), replicas);
    }

    static String task(String id, String service, String state, String desired, String network, String address) {
        return """
                {"ID":"%s","ServiceID":"%s","NodeID":"n1","Status":{"State":"%s"},"DesiredState":"%s",
                 "NetworksAttachments":[{"Network":{"ID":"n","Spec":{"Name":"%s"},"DriverState":{"Name":"overlay"}},
                 "Addresses":["%s/24"]}]}""".formatted(id, service, state, desired, network, address);
    }

    static String container(String id, Map<String, String> labels, String state, String status, String address) {
        return """
                {"Id":"%s","Names":["/%s"],"Created":1,"Labels":%s,"State":"%s","Status":"%s",
                 "Ports":[{"PrivatePort":8080,"Type":"tcp"}],"HostConfig":{"NetworkMode":"default"},
                 "NetworkSettings":{"Networks":{"bridge":{"IPAddress":"%s","IPPrefixLen":16}}}}""".formatted(id, id, text(labels), state, status, address);
    }
}
