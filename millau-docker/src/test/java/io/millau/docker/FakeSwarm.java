package io.millau.docker;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/** The configs API of a fake Swarm manager. */
final class FakeSwarm implements FakeEngine.Behaviour {

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Map<String, ObjectNode> configs = new LinkedHashMap<>();
    private int created;

    /** The configs by id; a test may change them. */
    synchronized Map<String, ObjectNode> configs() {
        return configs;
    }

    @Override
    public synchronized void respond(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        switch (exchange.getRequestMethod() + " " + path) {
            case "GET /configs" -> FakeEngine.send(exchange, 200, list(exchange).toString());
            case "POST /configs/create" -> create(exchange);
            default -> delete(exchange, path);
        }
    }

    private JsonNode list(HttpExchange exchange) throws IOException {
        String query = exchange.getRequestURI().getRawQuery().substring("filters=".length());
        String[] label = JSON.readTree(URLDecoder.decode(query, StandardCharsets.UTF_8))
                .path("label")
                .path(0)
                .asText()
                .split("=", 2);
        var list = JSON.createArrayNode();
        for (ObjectNode config : configs.values()) {
            if (config.path("Spec").path("Labels").path(label[0]).asText().equals(label[1])) {
                list.add(config);
            }
        }
        return list;
    }

    private void create(HttpExchange exchange) throws IOException {
        JsonNode spec = JSON.readTree(exchange.getRequestBody());
        String name = spec.path("Name").asText();
        if (configs.values().stream()
                .anyMatch(config -> config.path("Spec").path("Name").asText().equals(name))) {
            FakeEngine.send(exchange, 409, "{\"message\":\"config " + name + " already exists\"}");
            return;
        }
        String id = "id" + ++created;
        ObjectNode config = JSON.createObjectNode();
        config.put("ID", id);
        config.put("CreatedAt", Instant.now().toString());
        config.set("Spec", spec);
        configs.put(id, config);
        FakeEngine.send(exchange, 201, "{\"ID\":\"" + id + "\"}");
    }

    private void delete(HttpExchange exchange, String path) throws IOException {
        if (configs.remove(path.substring("/configs/".length())) == null) {
            FakeEngine.send(exchange, 404, "{\"message\":\"config not found\"}");
        } else {
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
        }
    }
}
