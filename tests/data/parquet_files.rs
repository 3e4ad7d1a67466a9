//! Tables in the Parquet format, and what a build without it says.

#[cfg(not(feature = "parquet"))]
#[test]
fn a_build_without_it_says_so() {
    let text = "data D = parquet(\"t.parquet\") { x = column(\"a\") }";
    assert_eq!(super::mistake(text), "E0754 this build of `tensa` does not read Parquet files");
}

#[cfg(feature = "parquet")]
mod with_it {
    use std::sync::Arc;

    use parquet::basic::{Compression, ZstdLevel};
    use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
    use parquet::schema::parser::parse_message_type;
    use tensa::base::Symbol;
    use tensa::data::{ColumnType, Memory, Part};

    use super::super::{classes, column, complaint, floats, loaded};

    const SCHEMA: &str = "message rows {
      required double x;
      optional double gap;
      required int64 id;
      optional boolean open;
      required binary kind (UTF8);
      required int32 day (DATE);
      required int64 at (TIMESTAMP(NANOS,true));
    }";

    fn put<T: DataType>(group: &mut SerializedRowGroupWriter<'_, Vec<u8>>, values: &[T::T], there: Option<&[i16]>) {
        let mut column = group.next_column().expect("a column").expect("one more");
        column.typed::<T>().write_batch(values, there, None).expect("memory");
        column.close().expect("memory");
    }

    /// Four rows in two groups.
    fn rows(compression: Compression) -> Vec<u8> {
        let schema = Arc::new(parse_message_type(SCHEMA).expect("a schema"));
        let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
        let mut writer = SerializedFileWriter::new(Vec::new(), schema, properties).expect("memory");
        for start in [0, 2] {
            let mut group = writer.next_row_group().expect("memory");
            let of = |row: i32| start + row;
            put::<DoubleType>(&mut group, &[f64::from(of(0)) / 2.0, f64::from(of(1)) / 2.0], None);
            put::<DoubleType>(&mut group, &[f64::from(of(0))], Some(&[1, 0]));
            put::<Int64Type>(&mut group, &[1_000_000_007, 1_000_000_008], None);
            put::<BoolType>(&mut group, &[true, false], Some(&[1, 1]));
            put::<ByteArrayType>(&mut group, &[ByteArray::from("no"), ByteArray::from("yes")], None);
            put::<Int32Type>(&mut group, &[19_723 + of(0), 19_723 + of(1)], None);
            put::<Int64Type>(&mut group, &[1_704_164_645_000_000_000, 1_704_164_645_000_000_000], None);
            group.close().expect("memory");
        }
        writer.into_inner().expect("memory")
    }

    #[test]
    fn columns_of_every_kind() {
        let text = "data D = parquet(\"t.parquet\") {
          x    = columns(\"x\", \"open\")
          gap  = column(\"gap\") |> impute(mean)
          id   = column(\"id\") |> vocab
          kind = column(\"kind\") |> vocab
          day  = column(\"day\") |> date_parts(year, day)
          at   = column(\"at\") |> date_parts(hour, minute)
        }";
        let packed =
            [Compression::SNAPPY, Compression::ZSTD(ZstdLevel::default()), Compression::GZIP(Default::default())];
        for compression in packed.into_iter().chain([Compression::UNCOMPRESSED, Compression::LZ4_RAW]) {
            let data = loaded(text, &Memory::default().with("t.parquet", rows(compression)));
            assert_eq!(floats(&data, Part::Train, "x"), [0.0, 1.0, 0.5, 0.0, 1.0, 1.0, 1.5, 0.0]);
            assert_eq!(floats(&data, Part::Train, "gap"), [0.0, 1.0, 2.0, 1.0]);
            assert_eq!(classes(&data, Part::Train, "id"), [0, 1, 0, 1]);
            let ColumnType::Index { names, .. } = &data.schema().column(Symbol::new("kind")).expect("kind").ty else {
                panic!()
            };
            assert_eq!(names, &["no", "yes"]);
            assert_eq!(floats(&data, Part::Train, "day")[..4], [2024.0, 1.0, 2024.0, 2.0]);
            assert_eq!(floats(&data, Part::Train, "at")[..2], [3.0, 4.0]);
            assert_eq!(column(&data, Part::Train, "at").shape(), [4, 2]);
        }
    }

    /// A table like others: its rows find those of another, and some are left out.
    #[test]
    fn tables_are_joined() {
        let text =
            "data D = parquet(\"t.parquet\") |> join(csv(\"k.csv\"), on = \"kind\") |> filter(column(\"x\") > 0) {
          x = column(\"weight\")
        }";
        let files =
            Memory::default().with("t.parquet", rows(Compression::SNAPPY)).with("k.csv", "kind,weight\nno,2\nyes,3\n");
        assert_eq!(floats(&loaded(text, &files), Part::Train, "x"), [3.0, 2.0, 3.0]);
        let text = "data D = csv(\"k.csv\") |> join(parquet(\"t.parquet\"), on = \"kind\") { x = column(\"x\") }";
        let told = "E0736 the key `no` of `kind` stands twice, again in item 3 of `t.parquet`";
        assert_eq!(complaint(text, &files)[..5], told[..5]);
    }

    #[test]
    fn broken_files_are_named() {
        let whole = rows(Compression::SNAPPY);
        let told = |text: &str, bytes: &[u8]| complaint(text, &Memory::default().with("t.parquet", bytes));
        let text = "data D = parquet(\"t.parquet\") { x = column(\"x\") }";
        let start = "E0755 `t.parquet` cannot be read as a Parquet file: ";
        for bytes in [&b"a,b\n1,2\n"[..], &whole[..whole.len() - 9], &whole[..60]] {
            assert!(told(text, bytes).starts_with(start), "{}", told(text, bytes));
        }
        assert_eq!(told(text, b""), "E0714 `t.parquet` is empty");
        let missing = told("data D = parquet(\"t.parquet\") { x = column(\"z\") }", &whole);
        assert_eq!(missing, "E0717 `t.parquet` has no column `z`");
        let gap = told("data D = parquet(\"t.parquet\") { x = column(\"gap\") }", &whole);
        assert_eq!(gap, "E0719 column `gap` is missing in item 2 of `t.parquet`");
    }

    /// A bit that is another: a message or a dataset, never a panic.
    #[test]
    fn damaged_files_are_survived() {
        let whole = rows(Compression::SNAPPY);
        let text = "data D = parquet(\"t.parquet\") { x = columns(\"x\", \"gap\") |> impute(mean) y = column(\"kind\") |> vocab(unknown = own) }";
        for at in 0..whole.len() {
            for bit in [0, 3, 7] {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                let (dataset, told) = super::super::try_load(text, &Memory::default().with("t.parquet", bytes));
                let errors = told.iter().any(|told| told.severity == tensa::diag::Severity::Error);
                assert_eq!(dataset.is_none(), errors, "{told:?}");
            }
        }
    }
}
