package io.metashard.conf;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What the policies of conf/iam allow, evaluated as AWS does: a Deny is stronger than any Allow.
 */
class IamPoliciesTest {
  private static final Path IAM =
      Path.of(System.getProperty("metashard.basedir", ".")).resolve("../conf/iam").normalize();

  private static final String SOURCE = "arn:aws:s3:::example-objects/tables/part-0000.parquet";
  private static final String SOURCES = "arn:aws:s3:::example-objects";
  private static final String LOG = "arn:aws:s3:::example-logs/access/2026-01-21.gz";
  private static final String LAKE = "arn:aws:s3:::example-metashard-lake/lake/";
  private static final String CONTAINER = "arn:aws:s3:::example-metashard-b/containers/0001/c.ms";

  private static List<String> policies() throws IOException {
    try (Stream<Path> files = Files.list(IAM)) {
      return files.map(f -> f.getFileName().toString().replace(".json", "")).sorted().toList();
    }
  }

  private static boolean allowed(String policy, String action, String resource) throws IOException {
    JsonNode document = new ObjectMapper().readTree(IAM.resolve(policy + ".json").toFile());
    assertThat(document.get("Version").asText()).isEqualTo("2012-10-17");
    boolean allowed = false;
    for (JsonNode statement : document.get("Statement")) {
      // Nothing in these policies is conditional or negated: this evaluation would not see it.
      assertThat(statement.fieldNames())
          .toIterable()
          .containsExactlyInAnyOrder("Sid", "Effect", "Action", "Resource");
      if (matches(statement.get("Action"), action, Pattern.CASE_INSENSITIVE)
          && matches(statement.get("Resource"), resource, 0)) {
        if (statement.get("Effect").asText().equals("Deny")) {
          return false;
        }
        assertThat(statement.get("Effect").asText()).isEqualTo("Allow");
        allowed = true;
      }
    }
    return allowed;
  }

  private static boolean matches(JsonNode patterns, String text, int flags) {
    for (JsonNode pattern : patterns) {
      String regex =
          Pattern.quote(pattern.asText()).replace("*", "\\E.*\\Q").replace("?", "\\E.\\Q");
      if (Pattern.compile(regex, flags).matcher(text).matches()) {
        return true;
      }
    }
    return false;
  }

  @Test
  void thereIsOnePolicyForEachKindOfWork() throws IOException {
    assertThat(policies())
        .containsExactly("delete-sources", "nightly", "reader", "shadow", "upkeep");
  }

  @Test
  void nobodyMayWriteASource() throws IOException {
    int checked = 0;
    for (String policy : policies()) {
      for (String action :
          List.of(
              "s3:PutObject",
              "s3:PutObjectAcl",
              "s3:PutObjectTagging",
              "s3:RestoreObject",
              "s3:ReplicateObject",
              "s3:PutBucketPolicy",
              "s3:PutLifecycleConfiguration")) {
        for (String resource : List.of(SOURCE, SOURCES)) {
          assertThat(allowed(policy, action, resource)).as("%s %s", policy, action).isFalse();
          checked++;
        }
      }
    }
    assertThat(checked).isEqualTo(5 * 7 * 2);
  }

  @Test
  void onlyDeleteSourcesMayDeleteASourceAndNoneItsVersions() throws IOException {
    List<String> deleters = new ArrayList<>();
    for (String policy : policies()) {
      if (allowed(policy, "s3:DeleteObject", SOURCE)) {
        deleters.add(policy);
      }
      assertThat(allowed(policy, "s3:DeleteObjectVersion", SOURCE)).as(policy).isFalse();
      assertThat(allowed(policy, "s3:DeleteBucket", SOURCES)).as(policy).isFalse();
      assertThat(allowed(policy, "s3:DeleteObject", LOG)).as(policy).isFalse();
    }
    assertThat(deleters).containsExactly("delete-sources");
  }

  /** S: an object of a source root, L: a log, T: a table's file, C: a container. */
  @ParameterizedTest
  @CsvSource({
    // policy, reads S, reads L, reads T, writes T, deletes T, reads C, writes C, deletes C
    "shadow,         true,  true,  true, true,  false, false, false, false",
    "nightly,        true,  true,  true, true,  false, true,  true,  false",
    "reader,         true,  false, true, false, false, true,  false, false",
    "upkeep,         true,  false, true, true,  true,  true,  true,  true",
    "delete-sources, true,  false, true, true,  false, true,  false, false",
  })
  void eachMayDoWhatItsWorkNeedsAndNoMore(
      String policy,
      boolean readsSource,
      boolean readsLog,
      boolean readsTable,
      boolean writesTable,
      boolean deletesTable,
      boolean readsContainer,
      boolean writesContainer,
      boolean deletesContainer)
      throws IOException {
    String table = LAKE + "shard_map/bucket=1/part-0.parquet";
    assertThat(
            List.of(
                allowed(policy, "s3:GetObject", SOURCE),
                allowed(policy, "s3:GetObject", LOG),
                allowed(policy, "s3:GetObject", table),
                allowed(policy, "s3:PutObject", table),
                allowed(policy, "s3:DeleteObject", table),
                allowed(policy, "s3:GetObject", CONTAINER),
                allowed(policy, "s3:PutObject", CONTAINER),
                allowed(policy, "s3:DeleteObject", CONTAINER)))
        .containsExactly(
            readsSource,
            readsLog,
            readsTable,
            writesTable,
            deletesTable,
            readsContainer,
            writesContainer,
            deletesContainer);
    // Whoever writes containers lists and aborts what a killed attempt left; nobody beyond S3.
    assertThat(allowed(policy, "s3:AbortMultipartUpload", CONTAINER)).isEqualTo(writesContainer);
    for (String beyond :
        List.of("iam:PassRole", "kms:Decrypt", "sts:AssumeRole", "s3:ListAllMyBuckets")) {
      assertThat(allowed(policy, beyond, "*")).as(beyond).isFalse();
    }
  }

  @Test
  void aNightsStagingFolderIsAllThatItMayDelete() throws IOException {
    for (String policy : List.of("shadow", "nightly")) {
      assertThat(allowed(policy, "s3:DeleteObject", LAKE + "_staging/run-1/blocks/x.parquet"))
          .isTrue();
      assertThat(allowed(policy, "s3:DeleteObject", LAKE + "_staging")).isFalse();
      assertThat(allowed(policy, "s3:DeleteObject", LAKE + "shard_map/_delta_log/0.json"))
          .isFalse();
    }
  }
}
