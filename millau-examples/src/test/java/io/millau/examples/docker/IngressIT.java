package io.millau.examples.docker;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** {@code stacks/ingress.yml} with {@code shop.yml} and {@code blog.yml}. */
@RequiresImages
@ExtendWith(Stage.Provider.class)
class IngressIT {

    @Test
    void stacksOfSeveralTeamsAnswerBehindOneAddress(Stage stage) throws Exception {
        try (Stack ingress = stage.deploy("ingress.yml", "ingress");
                Stack shop = stage.deploy("shop.yml", "shop")) {
            Stack blog = stage.deploy("blog.yml", "blog");
            Front front = ingress.front();
            front.await("shop.example", "/", answer -> answer.name().equals("web"));
            front.await("blog.example", "/", answer -> answer.name().equals("blog"));
            front.awaitInstances("shop.example", "/orders/", 2);

            assertThat(names(front, "shop.example", "/")).isEqualTo("web");
            assertThat(names(front, "www.shop.example", "/orders")).isEqualTo("web");
            assertThat(names(front, "shop.example", "/orders/17")).isEqualTo("orders");
            assertThat(names(front, "blog.example", "/orders/17")).isEqualTo("blog");
            assertThat(front.get("shop.example", "/orders/", 4).stream().map(Answer::instance))
                    .containsAll(shop.instances("orders"));
            assertThat(front.get("other.example", "/").status()).isEqualTo(502);

            blog.close();
            front.await("blog.example", "/", answer -> answer.status() == 502);
            assertThat(names(front, "shop.example", "/")).isEqualTo("web");
        }
    }

    private static String names(Front front, String host, String path) throws Exception {
        return front.get(host, path, 4).stream()
                .map(answer -> answer.status() == 200 ? answer.name() : answer.toString())
                .distinct()
                .collect(Collectors.joining(" "));
    }
}
