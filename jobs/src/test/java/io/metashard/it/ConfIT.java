package io.metashard.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Files for Kubernetes and EMR, by the schemas of Kubernetes and of the AWS APIs themselves. */
class ConfIT {
  private static final Path CONF = Commands.HOME.resolve("conf");
  private static final Path BROKEN = Commands.JOBS.resolve("target/it/broken-conf");

  /** A change that makes a file wrong, and what the check says of it. */
  private record Broken(String file, String text, String with, String said) {}

  private static final List<Broken> ALL_BROKEN =
      List.of(
          new Broken(
              "k8s/cronjob.yaml", "concurrencyPolicy:", "concurencyPolicy:", "CronJob at spec"),
          new Broken("k8s/cronjob.yaml", "backoffLimit: 2", "backoffLimit: two", "backoffLimit"),
          new Broken("k8s/cronjob.yaml", "- name: spark-submit", "- image: second", "containers.0"),
          new Broken("k8s/rbac.yaml", "kind: Role\n", "kind: Rolle\n", "Rolle"),
          new Broken("k8s/rbac.yaml", "verbs: [\"list\"", "verb: [\"list\"", "Role at rules.2"),
          new Broken("k8s/configmap.yaml", "kind: Pod", "kind: Pot", "Pot"),
          new Broken("k8s/configmap.yaml", "mountPath:", "path:", "Pod at spec.containers.0"),
          new Broken("emr/add-steps.json", "\"CONTINUE\"", "\"CARRY_ON\"", "ActionOnFailure"),
          new Broken("emr/add-steps.json", "\"Args\"", "\"Arguments\"", "\"Arguments\""),
          new Broken("emr/add-steps.json", "\"JobFlowId\"", "\"ClusterId\"", "\"JobFlowId\""),
          new Broken(
              "emr/serverless-job-run.json",
              "\"maxAttempts\": 3",
              "\"maxAttempts\": \"3\"",
              "maxAttempts"),
          new Broken(
              "emr/serverless-job-run.json", "role/metashard-nightly", "", "executionRoleArn"),
          new Broken("emr/serverless-job-run.json", "\"entryPoint\"", "\"jar\"", "\"entryPoint\""));

  @Test
  void everyFileForKubernetesAndEmrFitsTheSchemaOfItsReader()
      throws IOException, InterruptedException {
    List<Path> files = new ArrayList<>();
    for (String folder : List.of("k8s", "emr")) {
      try (Stream<Path> all = Files.list(CONF.resolve(folder))) {
        files.addAll(all.sorted().toList());
      }
    }
    Commands.Ended ended = Commands.require(check(files));
    assertThat(ended.stdout().lines())
        .hasSize(files.size())
        .allMatch(line -> line.endsWith(": ok"));
    assertThat(files).hasSize(5);
  }

  @Test
  void eachOfManySmallMistakesIsFound() throws IOException, InterruptedException {
    LakeUnderTest.deleteAll(BROKEN);
    List<Path> files = new ArrayList<>();
    for (Broken broken : ALL_BROKEN) {
      String right = Files.readString(CONF.resolve(broken.file()));
      assertThat(right).contains(broken.text());
      Path copy =
          BROKEN
              .resolve(Integer.toString(files.size()))
              .resolve(Path.of(broken.file()).getFileName());
      Files.createDirectories(copy.getParent());
      files.add(Files.writeString(copy, right.replace(broken.text(), broken.with())));
    }
    Commands.Ended ended = check(files);
    assertThat(ended.exitCode()).as(ended.stderr()).isEqualTo(1);
    List<String> said = ended.stdout().lines().toList();
    assertThat(said).hasSize(ALL_BROKEN.size());
    for (int i = 0; i < said.size(); i++) {
      assertThat(said.get(i))
          .startsWith(files.get(i) + ": ")
          .doesNotEndWith(": ok")
          .contains(ALL_BROKEN.get(i).said());
    }
  }

  private static Commands.Ended check(List<Path> files) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                PythonEnvironment.CONF.python().toString(),
                Commands.JOBS.resolve("src/test/python/check_conf.py").toString()));
    files.forEach(file -> command.add(file.toString()));
    return Commands.run(command, Map.of());
  }
}
